/** Answers queries about served indexes: workers, their queues, and what they need. */

export { type DemoProgress, demoIndex } from './demo.ts';
export { servedName } from './names.ts';
export { openService } from './open.ts';
export type { IndexToServe, LaneName, ServiceEvent, ServiceOptions } from './options.ts';
export type { RequestScope, SearchService, ServedFile } from './service.ts';
