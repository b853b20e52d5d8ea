/** Ranks images exactly by cosine similarity. The order of equal ones does not depend on the answers. */

import { LincirError } from '../core/index.ts';
import type { Benchmark, BenchmarkQuery, Ranking } from './benchmark.ts';
import { dot, type ImageEmbeddings, rowsOf } from './embed-images.ts';
import { inOrder, Nearest } from './nearest.ts';
import { type Block, Similarities } from './similarities.ts';

/** The largest block of similarities, in all and by side: large enough for the engine, small enough for caches. */
const block = { similarities: 2 ** 23, queries: 1024, pictures: 16_384 } as const;

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
        const scales = rowsOf(pictures.scales, rows, 1);
        for (const [begin, after] of evenParts(
          asking.length,
          Math.min(block.queries, Math.floor(block.similarities / rows.length)),
        )) {
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
    const ranked = query.candidates && rankedCandidates(query.candidates, query.id, vector, pictures);
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
  { data, dimensions, rows, scales }: ImageEmbeddings,
): string[] {
  const scores = Float32Array.from(candidates, (id) => {
    const row = rows.get(id)!;
    return Math.fround(dot(vector, 0, data, row * dimensions, dimensions)) * scales[row]!;
  });
  return inOrder(candidates, scores, query);
}

/** Ranges of nearly equal size, none larger than `most`. The engine rounds small blocks otherwise than large ones. */
function evenParts(count: number, most: number): (readonly [number, number])[] {
  const parts = Math.ceil(count / most);
  const bound = (part: number) => Math.round((part * count) / parts);
  return Array.from({ length: parts }, (_, part) => [bound(part), bound(part + 1)] as const);
}
