/** Answers of clip-retrieval's protocol: images with the columns that its clients show. */

import type { FoundImage, IndexedImage } from '../../api/index.ts';
import { pictureAddress } from './addresses.ts';

type Columns = Record<string, string | number | boolean>;

/** An image of a list of results. */
export interface KnnResult extends Columns {
  readonly id: string;
  readonly similarity: number;
}

/**
 * An image's metadata, and where it can be seen. A web address in the column `url` stays; without one, it is this
 * server's. Clients break off at a null, and take what stands under `image` for its bytes.
 */
export function columnsOf(
  { id, path, metadata = {} }: IndexedImage,
  index: string,
  backend: string,
): Columns {
  const columns: Columns = {};
  for (const [name, value] of Object.entries(metadata)) {
    if (value !== null && name !== 'image' && name !== '__proto__') columns[name] = value;
  }
  const { url, caption, image_path = path } = columns;
  return {
    ...columns,
    url: /^https?:\/\//i.test(`${url}`) ? `${url}` : pictureAddress(backend, { index, id }),
    ...(image_path !== undefined && { image_path }),
    ...(caption !== undefined && { caption: `${caption}` }),
  };
}

/** A result with its columns, if it is one of the first. Vectors that are not of length 1 scale similarities. */
export function resultOf({ id, score }: FoundImage, columns: Columns | undefined, length: number): KnnResult {
  return { ...columns, id, similarity: score * length };
}
