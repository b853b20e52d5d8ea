/** Finds the file of an indexed image, if it lies where the index says. */

import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, LincirError, option } from '../../core/index.ts';
import { asLincirError, pathOnDisk } from '../../files/index.ts';
import type { ImageIndex, UpdateOptions } from '../../indexing/index.ts';
import { indexPath, isS3, splitPath } from '../../pictures/index.ts';
import type { KnownImage } from '../../store/index.ts';

/** Where an image's bytes are now. */
export interface ImagePlace {
  /** With links resolved. */
  readonly file: string;
  /** Of a shard. */
  readonly member?: string;
}

/**
 * The place of an image. Its real path must be in a folder that the index has images in: a link that leads elsewhere is not
 * followed. Whoever reads it must also compare its contents with the index: only both show that it is the same file.
 * @throws LincirError 'not-found' if it is gone, or lies elsewhere; 'io'
 */
export async function placeOf(
  image: Pick<KnownImage, 'id' | 'path' | 'memberOffset'>,
  index: ImageIndex,
): Promise<ImagePlace> {
  const [path, member] = splitPath(image.path);
  if (isS3(path) && member !== undefined && image.memberOffset === undefined) {
    const todo = `index the shard again with ${option<UpdateOptions>('compare', 'contents')}`;
    throw notThere(image.id, 'a shard in object storage, without the place of its images', todo);
  }
  if (isS3(path)) return { file: path, ...(member !== undefined && { member }) };
  const named = await pathOnDisk(path);
  const [file, folder] = await Promise.all([realpath(named), realpath(dirname(named))]).catch(
    (error: unknown) => {
      if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errorCode(error))) throw unreadable(image.id, error);
      throw notThere(image.id, 'none there', 'bring the index up to date; ready embeddings have no files');
    },
  );
  const isInside = dirname(file) === folder || (await index.hasFolder(indexPath(dirname(file))));
  if (!isInside) throw notThere(image.id, 'a link to another folder', 'index that folder');
  return { file, ...(member !== undefined && { member }) };
}

/** An error that names the image, not where its file is. */
export function notThere(id: string, found: string, todo: string): LincirError {
  const subject = `the file of image ${id}`;
  return new LincirError('not-found', { subject, expected: 'it in a folder of the index', found, todo });
}

function unreadable(id: string, error: unknown): unknown {
  return asLincirError(error, `the file of image ${id}`, 'read');
}
