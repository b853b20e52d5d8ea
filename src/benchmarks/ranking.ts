/** Ranks images exactly by cosine similarity. The order of equal ones does not depend on the answers. */

import { LincirError } from '../core/index.ts';
import type { Benchmark, BenchmarkQuery, Ranking } from './benchmark.ts';
import { type ImageEmbeddings, rowsOf } from './embed-images.ts';
import { Nearest } from './nearest.ts';
import { type Block, Similarities } from './similarities.ts';

/** The largest block of similarities, in all and in images: large enough for the engine, small enough for the memory. */
const block = { similarities: 2 ** 23, pictures: 16_384 } as const;

/**
 * Ranks the gallery, the candidates, or both, as each query asks. Similarities are float32. Among equally similar images,
 * a hash of their ids and the query's decides, which favours none, not even targets.
 * @param vectors [queries, dimensions], of length 1
 * @returns rankings in the order of `queries`
 * @throws LincirError 'bad-argument' for vectors of other dimensions
 */
export async function rank(
  benchmark: Pick<Benchmark, 'galleries' | 'topK'>,
  queries: readonly BenchmarkQuery[],
  vectors: Float32Array,
  pictures: ImageEmbeddings,
  { threads }: { readonly threads?: number } = {},
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
  const galleries = new Map<number, Nearest>();
  // One more than a ranking can need, to see that no other equals the last of them.
  const excluded = queries.reduce((most, { exclude = [] }) => Math.max(most, exclude.length), 0);
  const count = benchmark.topK + excluded + 1;
  const similarities = new Similarities(dimensions, count, threads);
  try {
    for (const [name, ids] of benchmark.galleries) {
      const asking = [...queries.keys()].filter((at) => queries[at]!.gallery === name);
      for (const at of asking) galleries.set(at, new Nearest(ids, benchmark.topK, queries[at]!));
      const own = ids.map((id) => pictures.rows.get(id)!);
      for (const [first, end] of evenParts(ids.length, block.pictures)) {
        const rows = own.slice(first, end);
        const data = rowsOf(pictures.data, rows, dimensions);
        const scales = rowsOf(norms, rows, 1);
        for (const [begin, after] of evenParts(asking.length, Math.floor(block.similarities / rows.length))) {
          const some = asking.slice(begin, after);
          const compared = { queries: rowsOf(vectors, some, dimensions), pictures: data, scales };
          await offer(
            similarities,
            compared,
            some.map((at) => galleries.get(at)!),
            first,
          );
        }
      }
    }
  } finally {
    await similarities.dispose();
  }
  return queries.map((query, at) => {
    const found = galleries.get(at)?.ids();
    const vector = vectors.subarray(at * dimensions, (at + 1) * dimensions);
    const ranked = query.candidates && rankedCandidates(query.candidates, query.id, vector, pictures, norms);
    return { ...(found && { gallery: found }), ...(ranked && { candidates: ranked }) };
  });
}

/** Offers a block of images, which begins at position `first`, to the queries that it is compared with. */
async function offer(
  similarities: Similarities,
  compared: Block,
  nearest: readonly Nearest[],
  first: number,
): Promise<void> {
  const size = compared.scales.length;
  const { count } = similarities;
  let rest = nearest.map((one, row) => ({ one, row, highest: Number.POSITIVE_INFINITY }));
  if (size > count) {
    const { scores, positions } = await similarities.best(compared);
    rest = rest.flatMap(({ one, row }) => {
      const best = scores.subarray(row * count, (row + 1) * count);
      const decided = one.offerBest(best, positions.subarray(row * count, (row + 1) * count), first);
      return decided ? [] : [{ one, row, highest: best.at(-1)! }];
    });
  }
  if (rest.length === 0) return;
  const scores = await similarities.all(compared);
  for (const { one, row, highest } of rest) {
    one.offerRest(scores.subarray(row * size, (row + 1) * size), first, highest);
  }
}

function rankedCandidates(
  candidates: readonly string[],
  query: string,
  vector: Float32Array,
  { data, dimensions, rows }: ImageEmbeddings,
  norms: Float32Array,
): string[] {
  const wide = new Float64Array(vector);
  const scores = new Float32Array(candidates.length);
  for (const [at, id] of candidates.entries()) {
    const row = rows.get(id)!;
    const similarity = dot(wide, data.subarray(row * dimensions, (row + 1) * dimensions));
    scores[at] = Math.fround(similarity) * norms[row]!;
  }
  const nearest = new Nearest(candidates, candidates.length, { id: query });
  nearest.offerRest(scores, 0);
  return nearest.ids();
}

/** 1 / the length of every row; 0 for a row of zeros. */
function inverseNorms({ data, dimensions }: ImageEmbeddings): Float32Array {
  const norms = new Float32Array(data.length / dimensions);
  const wide = new Float64Array(dimensions);
  for (let row = 0; row < norms.length; row += 1) {
    const picture = data.subarray(row * dimensions, (row + 1) * dimensions);
    wide.set(picture);
    const squares = dot(wide, picture);
    norms[row] = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  }
  return norms;
}

/** Four sums, so that no addition waits for the one before; `a` as float64, because it is read for many `b`. */
function dot(a: Float64Array, b: Float32Array): number {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  let at = 0;
  for (; at + 3 < a.length; at += 4) {
    first += a[at]! * b[at]!;
    second += a[at + 1]! * b[at + 1]!;
    third += a[at + 2]! * b[at + 2]!;
    fourth += a[at + 3]! * b[at + 3]!;
  }
  for (; at < a.length; at += 1) first += a[at]! * b[at]!;
  return first + second + third + fourth;
}

/** Ranges of nearly equal size, none larger than `most`. The engine rounds small blocks otherwise than large ones. */
function evenParts(count: number, most: number): (readonly [number, number])[] {
  const parts = Math.ceil(count / most);
  const bound = (part: number) => Math.round((part * count) / parts);
  return Array.from({ length: parts }, (_, part) => [bound(part), bound(part + 1)] as const);
}
