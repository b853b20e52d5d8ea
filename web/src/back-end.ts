/** What answers the page: a server, or a worker in the tab. The page knows nothing else of where its images are. */

import type { CallOptions, Client, Upload } from '../../src/api/client.ts';

/** A picture's address, at once or when it is there. */
export type Address = string | Promise<string>;

/** The calls of API v1 that the page makes, and the addresses of pictures. */
export interface BackEnd
  extends Pick<
    Client,
    | 'server'
    | 'models'
    | 'search'
    | 'image'
    | 'values'
    | 'indexing'
    | 'startIndexing'
    | 'stopIndexing'
    | 'signIn'
  > {
  /** What the page calls it: `the server`, `this page`. */
  readonly self: string;
  /** The sides of thumbnails that it has, in pixels, smallest first. */
  readonly thumbnailSides: readonly number[];
  thumbnail(index: string, id: string, side: number): Address;
  original(index: string, id: string): Address;
  /** For links to originals; undefined where an original has no address until it is asked for. */
  originalLink(index: string, id: string): string | undefined;
  uploadThumbnail(upload: string): Address;
  /** Takes a picture for queries. `onSent` hears which part of it has been sent, from 0 to 1. */
  upload(index: string, file: File, onSent: (part: number) => void, options?: CallOptions): Promise<Upload>;
}

/** The page's back end: whoever shows the page connects it first. */
export let api: BackEnd;

export function connect(backEnd: BackEnd): void {
  api = backEnd;
}
