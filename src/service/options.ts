/** What a service is opened with, and what it tells while it works. */

import type { Device } from '../onnx/index.ts';

/** An index to serve. */
export interface IndexToServe {
  /** Its name in requests. */
  readonly name: string;
  /** See `openIndex`. */
  readonly uri: string;
  /** See `loadPhi`. Absent: queries go without phi. */
  readonly phi?: string;
}

export interface ServiceOptions {
  /** At least one. The first is the default. */
  readonly indexes: readonly IndexToServe[];
  /** The model of all indexes. Default: each index's own. */
  readonly model?: string;
  readonly device?: Device;
  /** Threads of one run on the CPU. */
  readonly threads?: number;
  /** Worker threads that encode texts, and as many that encode images. Default: 1. */
  readonly workers?: number;
  /** Queries that may wait in one queue. Default: 256. */
  readonly queue?: number;
  /** Models leave memory after so many seconds without requests. Default: never. */
  readonly idleSeconds?: number;
  /** Load what texts need at once, in the background, so that the first query need not wait. Default: false. */
  readonly preload?: boolean;
  /** Whether queries may name images by their web address. Default: true. */
  readonly allowImageUrls?: boolean;
  readonly onEvent?: (event: ServiceEvent) => void;
}

/** Queues: images to decode, images to encode, texts to encode, and searches. */
export type LaneName = 'images' | 'vision' | 'text' | 'search';

/** For metrics and logs. */
export type ServiceEvent =
  /** How many wait in a queue now. */
  | { readonly kind: 'queue'; readonly lane: LaneName; readonly waiting: number }
  /** A batch has been run, in so much time without the loading of models. */
  | {
      readonly kind: 'batch';
      readonly lane: LaneName;
      readonly size: number;
      readonly milliseconds: number;
    }
  /** A stage of a request is done: `references`, `compose`, `search`, … */
  | { readonly kind: 'stage'; readonly stage: string; readonly milliseconds: number }
  /** A request was refused or dropped: the queue was full, it would have been or was too late, or its client has gone. */
  | { readonly kind: 'dropped'; readonly lane: LaneName; readonly reason: 'full' | 'late' | 'gone' }
  | { readonly kind: 'model'; readonly model: string; readonly loaded: boolean }
  | { readonly kind: 'index'; readonly index: string; readonly changes: number }
  /** A download. */
  | { readonly kind: 'progress'; readonly label: string; readonly done: number; readonly total: number }
  /** Something that whoever runs the service should know, such as a phi's licence. */
  | { readonly kind: 'note'; readonly text: string };
