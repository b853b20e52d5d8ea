/** Tar archives, made entry by entry. */

import { Header } from 'tar';

type EntryType = NonNullable<Header['type']>;

/** A header, and the data up to a whole block. */
export function entry(
  path: string,
  data: Uint8Array | string = '',
  type: EntryType = 'File',
  linkpath = '',
): Buffer {
  const bytes = Buffer.from(data);
  const block = Buffer.alloc(512);
  new Header({ path, size: bytes.length, type, linkpath, mode: 0o644, mtime: new Date(0) }).encode(block);
  return Buffer.concat([block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}
