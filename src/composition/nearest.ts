/** Ranks embeddings in memory: enough for thousands of images, without an index. */

import { type Float32Tensor, LincirError } from '../core/index.ts';
import type { Query } from './compose.ts';

export interface NearestRow {
  readonly row: number;
  /** Cosine of the angle between the query and the row. */
  readonly score: number;
}

/**
 * The rows that are the most similar to a query, the best first.
 * @param embeddings [images, dimensions], of the query's model; their lengths do not matter
 * @param top how many; default: all
 * @throws LincirError 'bad-argument' for embeddings of other dimensions
 */
export function nearest(
  { vector }: Pick<Query, 'vector'>,
  { shape, data }: Float32Tensor,
  top = Number.POSITIVE_INFINITY,
): NearestRow[] {
  const size = vector.length;
  if (shape.length !== 2 || shape[1] !== size) {
    throw new LincirError('bad-argument', {
      subject: 'embeddings',
      expected: `[images, ${size}], as the query has ${size} dimensions`,
      found: `[${shape.join(', ')}]`,
    });
  }
  const rows = Array.from({ length: shape[0]! }, (_, row) => {
    let [product, squares] = [0, 0];
    for (let at = 0, place = row * size; at < size; at += 1, place += 1) {
      product += vector[at]! * data[place]!;
      squares += data[place]! ** 2;
    }
    return { row, score: squares > 0 ? product / Math.sqrt(squares) : 0 };
  });
  return rows.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, top);
}
