/** Reads the bytes of an index's images, to show them. */

import { LincirError, quoted } from '../core/index.ts';
import { indexedBytes, isS3, splitPath, unchangedBytes } from '../pictures/index.ts';
import type { ImageIndex } from './image-index.ts';

/**
 * The bytes of an image of the index. Those of a shard's member in object storage are read alone, because the index knows
 * where they lie, and are the very ones that were indexed.
 * @throws LincirError 'not-found', 'io', 'network' or 'bad-file'
 */
export async function imageBytes(path: string, index: ImageIndex): Promise<Uint8Array<ArrayBuffer>> {
  const [file, member] = splitPath(path);
  const known = member !== undefined && isS3(file) ? await index.find(path) : undefined;
  const bytes = known ? await unchangedBytes(file, member, known) : await indexedBytes(path);
  if (bytes) return bytes;
  throw new LincirError('not-found', {
    subject: quoted(path, 200),
    expected: 'the image that was indexed',
    found: 'that its shard has changed',
    todo: 'bring the index up to date',
  });
}
