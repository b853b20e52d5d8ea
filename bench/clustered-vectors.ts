/** Images whose vectors lie as CLIP's do, in clusters and along few directions, and the true neighbours of queries. */

import { createHash } from 'node:crypto';
import { normalizeRows, normals, uniforms } from '../src/core/index.ts';
import { constant, gemm, input, l2Normalize, Session } from '../src/onnx/index.ts';
import type { StoredImage } from '../src/store/index.ts';

/** Length of the noise about a cluster's centre, as a part of the centre's distance from the mean. */
const noise = 0.7;
/** The directions' standard deviations are a power law of their ranks. */
const decay = -0.5;
/** Of the distribution itself; draws have others. */
const ownSeed = 0;

const folders = 100;
/** Sizes of images are uniform below this one. */
const sizeLimit = 1_000_000;

/** A distribution of vectors. Owns a session: dispose of it. */
export interface ClusteredVectors {
  /** Vectors from number `first` on, of length 1: [count, dimensions]. Each depends on the seed and its number alone. */
  draw(seed: number, first: number, count: number): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Mean + centre of a cluster + noise, all of the same spectrum, in random directions. */
export async function clusteredVectors(
  dimensions: number,
  { clusters = 2000, threads = 2 } = {},
): Promise<ClusteredVectors> {
  const own = (row: number, count: number) =>
    normals({ seed: ownSeed, purpose: 'noise', moment: 0, row }, count);
  const spectrum = Float32Array.from({ length: dimensions }, (_, rank) => (1 + rank) ** decay);
  const directions = own(0, dimensions * dimensions).map((value, at) => value * spectrum[at % dimensions]!);
  const mean = own(1, dimensions);
  const centres = own(2, clusters * dimensions).map((value, at) => value + mean[at % dimensions]!);

  const points = input('points', 'float32', ['rows', dimensions]);
  const turned = gemm(points, constant(directions, [dimensions, dimensions]), { transB: true });
  const session = await Session.create({ vectors: l2Normalize(turned) }, { threads });
  return {
    async draw(seed, first, count) {
      const data = new Float32Array(count * dimensions);
      for (let row = 0; row < count; row += 1) {
        const stream = { seed, moment: first + row, row: 0 };
        const cluster = Math.floor(uniforms({ ...stream, purpose: 'order' }, 1)[0]! * clusters);
        const centre = cluster * dimensions;
        const away = normals({ ...stream, purpose: 'noise' }, dimensions);
        for (let at = 0; at < dimensions; at += 1) {
          data[row * dimensions + at] = centres[centre + at]! + noise * away[at]!;
        }
      }
      const { vectors } = await session.run<'vectors'>({ points: { shape: [count, dimensions], data } });
      return vectors.data; // [count, dimensions]
    },
    dispose: () => session.dispose(),
  };
}

/**
 * Queries as composing makes them, which lie far from all images: a part of `near`, [count, dimensions], a direction
 * that all share, and noise of their own.
 */
export function farQueries(near: Float32Array, dimensions: number): Float32Array {
  const ofLengthOne = (row: number, count: number) =>
    normals({ seed: ownSeed, purpose: 'noise', moment: 1, row }, count).map(
      (value) => value / Math.sqrt(dimensions),
    );
  const shared = ofLengthOne(0, dimensions);
  const others = ofLengthOne(1, near.length);
  const far = near.map((value, at) => 0.35 * value + 0.8 * shared[at % dimensions]! + 0.5 * others[at]!);
  normalizeRows(far, dimensions);
  return far;
}

/** The images of vectors from number `first` on, made up but for the vectors, [count, dimensions]. */
export function picturesOf(vectors: Float32Array, first: number, dimensions: number): StoredImage[] {
  return vectorsIn(vectors, dimensions).map((vector, at) => {
    const row = first + at;
    const [size, age, more] = uniforms({ seed: ownSeed, purpose: 'masking', moment: row, row: 0 }, 3);
    const folder = `photos/${row % folders}`;
    return {
      id: idOf(row),
      path: `${folder}/${row}.jpg`,
      folder,
      size: Math.floor(size! * sizeLimit),
      modified: 1.7e12 + Math.floor(age! * 1e10),
      hash: hashOf(row),
      norm: 10 + more!,
      vector,
    };
  });
}

export function idOf(row: number): string {
  return hashOf(row).slice(0, 16);
}

/** The rows of [count, dimensions]. */
export function vectorsIn(values: Float32Array, dimensions: number): Float32Array[] {
  return Array.from({ length: values.length / dimensions }, (_, row) =>
    values.subarray(row * dimensions, (row + 1) * dimensions),
  );
}

/** The true neighbours of queries, by comparing every vector with every one in float32, batch by batch. */
export class ExactSearch {
  readonly #session: Session;
  readonly #queries: Float32Array; // [queries, dimensions]
  readonly #dimensions: number;
  readonly #limit: number;
  readonly #nearest: Nearest[];

  private constructor(session: Session, queries: Float32Array, dimensions: number, limit: number) {
    this.#session = session;
    this.#queries = queries;
    this.#dimensions = dimensions;
    this.#limit = limit;
    this.#nearest = Array.from({ length: queries.length / dimensions }, () => ({
      rows: [],
      least: -Infinity,
    }));
  }

  static async create(
    queries: Float32Array,
    { dimensions, limit, threads = 2 }: { dimensions: number; limit: number; threads?: number },
  ): Promise<ExactSearch> {
    const left = input('queries', 'float32', ['queries', dimensions]);
    const right = input('vectors', 'float32', ['rows', dimensions]);
    const session = await Session.create({ scores: gemm(left, right, { transB: true }) }, { threads });
    return new ExactSearch(session, queries, dimensions, limit);
  }

  /** Compares the vectors from number `first` on, [count, dimensions], but for those that do not count. */
  async add(vectors: Float32Array, first: number, counts: (row: number) => boolean): Promise<void> {
    const count = vectors.length / this.#dimensions;
    const { scores } = await this.#session.run<'scores'>({
      queries: { shape: [this.#nearest.length, this.#dimensions], data: this.#queries },
      vectors: { shape: [count, this.#dimensions], data: vectors },
    });
    for (const [query, nearest] of this.#nearest.entries()) {
      for (let at = 0; at < count; at += 1) {
        const score = scores.data[query * count + at]!;
        if (score <= nearest.least || !counts(first + at)) continue;
        nearest.rows.push({ row: first + at, score });
        if (nearest.rows.length >= 4 * this.#limit) this.#cut(nearest);
      }
      this.#cut(nearest);
    }
  }

  /** Of each query the numbers of its nearest vectors, the nearest first. */
  nearest(): { readonly vector: Float32Array; readonly rows: readonly number[] }[] {
    return vectorsIn(this.#queries, this.#dimensions).map((vector, query) => ({
      vector,
      rows: this.#nearest[query]!.rows.map(({ row }) => row),
    }));
  }

  dispose(): Promise<void> {
    return this.#session.dispose();
  }

  #cut(nearest: Nearest): void {
    nearest.rows.sort((a, b) => b.score - a.score || a.row - b.row);
    nearest.rows.length = Math.min(nearest.rows.length, this.#limit);
    if (nearest.rows.length === this.#limit) nearest.least = nearest.rows[this.#limit - 1]!.score;
  }
}

function hashOf(row: number): string {
  return createHash('sha256').update(`${row}`).digest('hex');
}

/** The best so far, in no order between two cuts. */
interface Nearest {
  readonly rows: { readonly row: number; readonly score: number }[];
  /** What a further one must surpass. */
  least: number;
}
