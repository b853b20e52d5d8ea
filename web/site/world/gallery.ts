/** The gallery's embeddings: a byte for each number on the way, and rankings by cosine. */

import {
  type Float32Tensor,
  normalizeRows,
  readSafetensorsHeader,
  readTensor,
} from '../../../src/core/index.ts';
import { memoryFile } from './download.ts';
import { packTensors, unpackTensors } from './rounded.ts';

export interface Gallery {
  /** As CLIP gives them, to the precision of a byte: [pictures, dimensions]. */
  readonly embeddings: Float32Tensor;
  /** The same at length 1. */
  readonly directions: Float32Array;
}

export function packGallery(embeddings: Float32Tensor): Uint8Array<ArrayBuffer> {
  return packTensors([['embeddings', embeddings]]);
}

export async function unpackGallery(bytes: Uint8Array): Promise<Gallery> {
  const file = memoryFile('gallery', await unpackTensors(bytes));
  const { tensors } = await readSafetensorsHeader(file);
  const embeddings = await readTensor(tensors.get('embeddings')!);
  const directions = embeddings.data.slice();
  normalizeRows(directions, embeddings.shape[1]!);
  return { embeddings, directions };
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
