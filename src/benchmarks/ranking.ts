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
  const subsets = new Map<number, Subset>();
  // One more than a ranking can need, to see that no other equals the last of them.
  const excluded = queries.reduce((most, { exclude = [] }) => Math.max(most, exclude.length), 0);
  const count = benchmark.topK + excluded + 1;
  const similarities = new Similarities(dimensions, count, threads);
  try {
    for (const [name, ids] of benchmark.galleries) {
      const asking = [...queries.keys()].filter((at) => queries[at]!.gallery === name);
      for (const at of asking) galleries.set(at, new Nearest(ids, benchmark.topK, queries[at]!));
      for (const [at, subset] of subsetsOf(ids, asking, queries)) subsets.set(at, subset);
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
            some.map((at) => subsets.get(at)),
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
    const ranked =
      query.candidates &&
      inOrder(
        query.candidates,
        subsets.get(at)?.scores ?? scoresOf(query.candidates, vector, pictures),
        query.id,
      );
    return { ...(found && { gallery: found }), ...(ranked && { candidates: ranked }) };
  });
}

/** Candidates that are all in the gallery, which is compared anyway. */
interface Subset {
  /** In the gallery. */
  readonly places: readonly number[];
  readonly scores: Float32Array;
}

function subsetsOf(ids: readonly string[], asking: readonly number[], queries: readonly BenchmarkQuery[]) {
  const having = asking.filter((at) => queries[at]!.candidates);
  const places = new Map(having.length > 0 ? ids.map((id, place) => [id, place]) : []);
  return having.flatMap((at): [number, Subset][] => {
    const own = queries[at]!.candidates!.map((id) => places.get(id) ?? -1);
    return own.includes(-1) ? [] : [[at, { places: own, scores: new Float32Array(own.length) }]];
  });
}

/** Offers a block of images, which begins at position `first`, to the queries that it is compared with. */
async function offer(
  similarities: Similarities,
  compared: Omit<Block, 'places'>,
  nearest: readonly Nearest[],
  subsets: readonly (Subset | undefined)[],
  first: number,
): Promise<void> {
  const size = compared.scales.length;
  const { count } = similarities;
  /** Each candidate that is in the block. */
  const eachCandidate = (use: (subset: Subset, at: number, row: number, place: number) => void) => {
    for (const [row, subset] of subsets.entries()) {
      subset?.places.forEach((place, at) => {
        if (place >= first && place < first + size) use(subset, at, row, place - first);
      });
    }
  };
  let rest = nearest.map((one, row) => ({ one, row, highest: Number.POSITIVE_INFINITY }));
  if (size > count) {
    const most = subsets.reduce((largest, subset) => Math.max(largest, subset?.places.length ?? 0), 1);
    const places = new Float32Array(most * subsets.length);
    eachCandidate((_, at, row, place) => {
      places[row * most + at] = place;
    });
    const best = await similarities.best({ ...compared, places });
    eachCandidate(({ scores }, at, row) => {
      scores[at] = best.asked[row * most + at]!;
    });
    rest = rest.flatMap(({ one, row }) => {
      const scores = best.scores.subarray(row * count, (row + 1) * count);
      const decided = one.offerBest(scores, best.positions.subarray(row * count, (row + 1) * count), first);
      return decided ? [] : [{ one, row, highest: scores.at(-1)! }];
    });
  }
  if (rest.length === 0) return;
  const scores = await similarities.all(compared);
  if (size <= count) {
    eachCandidate((subset, at, row, place) => {
      subset.scores[at] = scores[row * size + place]!;
    });
  }
  for (const { one, row, highest } of rest) {
    one.offerRest(scores.subarray(row * size, (row + 1) * size), first, highest);
  }
}

function scoresOf(
  candidates: readonly string[],
  vector: Float32Array,
  { data, dimensions, rows, scales }: ImageEmbeddings,
): Float32Array {
  return Float32Array.from(candidates, (id) => {
    const row = rows.get(id)!;
    return Math.fround(dot(vector, 0, data, row * dimensions, dimensions)) * scales[row]!;
  });
}

/** Ranges of nearly equal size, none larger than `most`. The engine rounds small blocks otherwise than large ones. */
function evenParts(count: number, most: number): (readonly [number, number])[] {
  const parts = Math.ceil(count / most);
  const bound = (part: number) => Math.round((part * count) / parts);
  return Array.from({ length: parts }, (_, part) => [bound(part), bound(part + 1)] as const);
}
