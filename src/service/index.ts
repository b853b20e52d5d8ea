/** Answers queries about served indexes: workers, their queues, and what they need. */

export type { RequestScope, SearchService, ServedFile } from './service.ts';
