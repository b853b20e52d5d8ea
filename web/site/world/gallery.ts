/** The gallery's embeddings: a byte for each number on the way, and rankings by cosine. */

import { type Float32Tensor, normalizeRows } from '../../../src/core/index.ts';

export interface Gallery {
  /** As CLIP gives them, to the precision of a byte: [pictures, dimensions]. */
  readonly embeddings: Float32Tensor;
  /** The same at length 1. */
  readonly directions: Float32Array;
}

/** Rows as whole numbers from -127 to 127, each row with its own step; before them the two sizes and the steps. */
export function packGallery({ shape, data }: Float32Tensor): Uint8Array<ArrayBuffer> {
  const [rows, dimensions] = shape as [number, number];
  const bytes = new Uint8Array(8 + 4 * rows + data.length);
  new Uint32Array(bytes.buffer, 0, 2).set([rows, dimensions]);
  const steps = new Float32Array(bytes.buffer, 8, rows);
  const values = new Int8Array(bytes.buffer, 8 + 4 * rows);
  for (let row = 0; row < rows; row += 1) {
    const given = data.subarray(row * dimensions, (row + 1) * dimensions);
    steps[row] = given.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    values.set(
      given.map((value) => Math.round(value / steps[row]!)),
      row * dimensions,
    );
  }
  return bytes;
}

export function unpackGallery({ buffer }: Uint8Array<ArrayBuffer>): Gallery {
  const [rows, dimensions] = new Uint32Array(buffer, 0, 2) as unknown as [number, number];
  const steps = new Float32Array(buffer, 8, rows);
  const values = new Int8Array(buffer, 8 + 4 * rows, rows * dimensions);
  const data = new Float32Array(values.length);
  for (let at = 0; at < data.length; at += 1) data[at] = values[at]! * steps[Math.floor(at / dimensions)]!;
  const directions = data.slice();
  normalizeRows(directions, dimensions);
  return { embeddings: { shape: [rows, dimensions], data }, directions };
}

/** An embedding of the gallery, by the picture's id, which counts from 1. */
export function embeddingOf({ embeddings: { shape, data } }: Gallery, id: number): Float32Tensor {
  const [, dimensions] = shape as [number, number];
  return { shape: [1, dimensions], data: data.slice((id - 1) * dimensions, id * dimensions) };
}

/** The pictures nearest to a direction, best first: ids and cosines. */
export function nearest(
  { embeddings, directions }: Gallery,
  query: Float32Array,
  top: number,
  without?: number,
): { readonly id: number; readonly score: number }[] {
  const [rows] = embeddings.shape as [number];
  const best: { readonly id: number; readonly score: number }[] = [];
  for (let row = 0; row < rows; row += 1) {
    let score = 0;
    const begin = row * query.length;
    for (let at = 0; at < query.length; at += 1) score += query[at]! * directions[begin + at]!;
    if ((best.length === top && score <= best.at(-1)!.score) || row + 1 === without) continue;
    const place = best.findLastIndex((other) => other.score >= score) + 1;
    best.splice(place, 0, { id: row + 1, score });
    if (best.length > top) best.pop();
  }
  return best;
}
