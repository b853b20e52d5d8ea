/** Rankings: the nearest pictures of every query, exactly, by cosine similarity; equal ones in an order that knows no answer. */

import { LincirError } from '../core/index.ts';
import { gemm, input, Session } from '../onnx/index.ts';
import type { Benchmark, BenchmarkQuery, Ranking } from './benchmark.ts';
import { type PictureEmbeddings, rowsOf } from './embed-pictures.ts';

/** Similarities that are in memory at once. */
const scoresAtOnce = 2 ** 22;

/**
 * Ranks for every query what it asks for: its gallery, its candidates, or both. Similarities are float32; of pictures
 * that are equally similar, a hash of their ids with the query's decides, which favours none, the targets included.
 * @param vectors [queries, dimensions], of length 1
 * @returns rankings in the order of `queries`
 * @throws LincirError 'bad-argument' for vectors of other dimensions
 */
export async function rank(
  benchmark: Pick<Benchmark, 'galleries' | 'depth'>,
  queries: readonly BenchmarkQuery[],
  vectors: Float32Array,
  pictures: PictureEmbeddings,
  { threads }: { readonly threads?: number | undefined } = {},
): Promise<Ranking[]> {
  const { dimensions } = pictures;
  if (vectors.length !== queries.length * dimensions) {
    throw new LincirError('bad-argument', {
      subject: 'vectors',
      expected: `[${queries.length}, ${dimensions}]`,
      found: `${vectors.length} values`,
    });
  }
  const norms = inverseNorms(pictures);
  const galleries = new Map<number, readonly string[]>();
  const session = await similarities(dimensions, threads);
  try {
    for (const [name, ids] of benchmark.galleries) {
      const asking = [...queries.keys()].filter((at) => queries[at]!.gallery === name);
      if (asking.length === 0) continue;
      const rows = ids.map((id) => pictures.rows.get(id)!);
      const gallery = { shape: [ids.length, dimensions], data: rowsOf(pictures.data, rows, dimensions) };
      const positions = new Map(ids.map((id, at) => [id, at]));
      const nearest = new Nearest(ids);
      const perRun = Math.max(1, Math.floor(scoresAtOnce / ids.length));
      for (let begin = 0; begin < asking.length; begin += perRun) {
        const some = asking.slice(begin, begin + perRun);
        const data = rowsOf(vectors, some, dimensions);
        const { scores } = await session.run<'scores'>({
          queries: { shape: [some.length, dimensions], data },
          pictures: gallery,
        });
        for (const [index, at] of some.entries()) {
          const own = scores.data.subarray(index * ids.length, (index + 1) * ids.length);
          rows.forEach((row, position) => {
            own[position]! *= norms[row]!;
          });
          const { id, exclude = [] } = queries[at]!;
          for (const other of exclude) {
            const position = positions.get(other);
            if (position !== undefined) own[position] = Number.NEGATIVE_INFINITY;
          }
          galleries.set(at, nearest.of(own, benchmark.depth, id));
        }
      }
    }
  } finally {
    await session.dispose();
  }
  return queries.map(({ id, candidates }, at) => {
    const gallery = galleries.get(at);
    const vector = vectors.subarray(at * dimensions, (at + 1) * dimensions);
    const similarity = (name: string) => {
      const row = pictures.rows.get(name)!;
      return norms[row]! * dot(vector, pictures.data, row * dimensions);
    };
    const ranked =
      candidates &&
      new Nearest(candidates).of(Float32Array.from(candidates, similarity), candidates.length, id);
    return { ...(gallery && { gallery }), ...(ranked && { candidates: ranked }) };
  });
}

/** 1 / the length of every row; 0 for one of zeros. */
function inverseNorms({ data, dimensions }: PictureEmbeddings): Float32Array {
  const norms = new Float32Array(data.length / dimensions);
  for (let row = 0; row < norms.length; row += 1) {
    let squares = 0;
    for (let at = row * dimensions; at < (row + 1) * dimensions; at += 1) squares += data[at]! * data[at]!;
    norms[row] = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  }
  return norms;
}

async function similarities(dimensions: number, threads: number | undefined): Promise<Session> {
  const queries = input('queries', 'float32', ['queries', dimensions]);
  const pictures = input('pictures', 'float32', ['pictures', dimensions]);
  const scores = gemm(queries, pictures, { transB: true });
  return await Session.create({ scores }, threads === undefined ? {} : { threads });
}

/** Chooses the best of a list of pictures. */
class Nearest {
  readonly #ids: readonly string[];
  readonly #hashes: Uint32Array;

  constructor(ids: readonly string[]) {
    this.#ids = ids;
    this.#hashes = Uint32Array.from(ids, hashOf);
  }

  /** The ids of the `count` highest scores, the highest first; those of minus infinity are left out. */
  of(scores: Float32Array, count: number, query: string): string[] {
    const hashes = this.#hashes;
    const salt = hashOf(query);
    const order = (at: number) => mixed(hashes[at]! ^ salt);
    /** Whether `a` ranks after `b`. */
    const isWorse = (a: number, b: number): boolean => {
      if (scores[a] !== scores[b]) return scores[a]! < scores[b]!;
      return order(a) - order(b) > 0 || (order(a) === order(b) && a > b);
    };
    // The best so far, as a heap whose first one is the worst of them.
    const heap: number[] = [];
    const sink = (): void => {
      for (let parent = 0; ; ) {
        const [left, right] = [2 * parent + 1, 2 * parent + 2];
        let worst = parent;
        if (left < heap.length && isWorse(heap[left]!, heap[worst]!)) worst = left;
        if (right < heap.length && isWorse(heap[right]!, heap[worst]!)) worst = right;
        if (worst === parent) return;
        [heap[parent], heap[worst]] = [heap[worst]!, heap[parent]!];
        parent = worst;
      }
    };
    for (let at = 0; at < scores.length; at += 1) {
      if (heap.length === count) {
        if (scores[at]! < scores[heap[0]!]! || isWorse(at, heap[0]!)) continue;
        heap[0] = at;
        sink();
      } else if (scores[at]! > Number.NEGATIVE_INFINITY) {
        heap.push(at);
        for (let child = heap.length - 1; child > 0; ) {
          const parent = (child - 1) >> 1;
          if (!isWorse(heap[child]!, heap[parent]!)) break;
          [heap[parent], heap[child]] = [heap[child]!, heap[parent]!];
          child = parent;
        }
      }
    }
    return heap.sort((a, b) => (isWorse(a, b) ? 1 : -1)).map((at) => this.#ids[at]!);
  }
}

/** FNV-1a (Fowler, Noll, Vo) over UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** The finalizer of MurmurHash3: numbers that are alike come out unlike. */
function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function dot(vector: Float32Array, data: Float32Array, offset: number): number {
  let sum = 0;
  for (let at = 0; at < vector.length; at += 1) sum += vector[at]! * data[offset + at]!;
  return sum;
}
