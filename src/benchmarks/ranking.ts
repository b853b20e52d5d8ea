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
  const found = new Array<string[] | undefined>(queries.length);
  const subsets = new Array<Subset | undefined>(queries.length);
  // One more than a ranking can need, to see that no other equals the last of them.
  const excluded = queries.reduce((most, { exclude = [] }) => Math.max(most, exclude.length), 0);
  const count = benchmark.topK + excluded + 1;
  const similarities = new Similarities(dimensions, count, threads);
  try {
    for (const [name, ids] of benchmark.galleries) {
      const asking = [...queries.keys()].filter((at) => queries[at]!.gallery === name);
      const own = asking.map((at) => queries[at]!);
      const nearest = new Nearest(ids, benchmark.topK, own);
      const candidates = subsetsOf(ids, own);
      const rows = ids.map((id) => pictures.rows.get(id)!);
      for (const [first, end] of evenParts(ids.length, block.pictures)) {
        const some = rows.slice(first, end);
        const data = rowsOf(pictures.data, some, dimensions);
        const scales = rowsOf(pictures.scales, some, 1);
        const most = Math.min(block.queries, Math.floor(block.similarities / some.length));
        for (const [begin, after] of evenParts(asking.length, most)) {
          const vectorsOf = rowsOf(vectors, asking.slice(begin, after), dimensions);
          const compared = { queries: vectorsOf, pictures: data, scales };
          await offer(similarities, compared, nearest, begin, candidates.slice(begin, after), first);
        }
      }
      for (const [row, at] of asking.entries()) {
        found[at] = nearest.ids(row);
        subsets[at] = candidates[row];
      }
    }
  } finally {
    await similarities.dispose();
  }
  return queries.map(({ id, candidates }, at) => {
    const gallery = found[at];
    if (!candidates) return { ...(gallery && { gallery }) };
    const scores = subsets[at]?.scores ?? scoresOf(candidates, vectors, at, pictures);
    return { ...(gallery && { gallery }), candidates: inOrder(candidates, scores, id) };
  });
}

/** Candidates that are all in the gallery, which is compared anyway. */
interface Subset {
  /** In the gallery. */
  readonly places: readonly number[];
  readonly scores: number[];
}

function subsetsOf(ids: readonly string[], queries: readonly BenchmarkQuery[]): (Subset | undefined)[] {
  const isAsked = queries.some(({ candidates }) => candidates);
  const places = new Map(isAsked ? ids.map((id, place) => [id, place]) : []);
  return queries.map(({ candidates }) => {
    const own = candidates?.map((id) => places.get(id) ?? -1);
    return own === undefined || own.includes(-1) ? undefined : { places: own, scores: own.map(() => 0) };
  });
}

/**
 * Offers a block of images, which begins at position `first`, to the queries that it is compared with: those of `nearest`
 * from row `begin` on.
 */
async function offer(
  similarities: Similarities,
  compared: Omit<Block, 'places'>,
  nearest: Nearest,
  begin: number,
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
  /** Of the queries that need more than the best: the row, and the score up to which they need the rest. */
  let open = Array.from(subsets, (_, row) => ({ row, highest: Number.POSITIVE_INFINITY }));
  if (size > count) {
    const most = subsets.reduce((largest, subset) => Math.max(largest, subset?.places.length ?? 0), 1);
    const places = new Float32Array(most * subsets.length);
    eachCandidate((_, at, row, place) => {
      places[row * most + at] = place;
    });
    const { scores, positions, asked } = await similarities.best({ ...compared, places });
    eachCandidate((subset, at, row) => {
      subset.scores[at] = asked[row * most + at]!;
    });
    open = [];
    for (let row = 0; row < subsets.length; row += 1) {
      const isDecided = nearest.offerBest(begin + row, scores, positions, row * count, count, first);
      if (!isDecided) open.push({ row, highest: scores[(row + 1) * count - 1]! });
    }
  }
  if (open.length === 0) return;
  const scores = await similarities.all(compared);
  if (size <= count) {
    eachCandidate((subset, at, row, place) => {
      subset.scores[at] = scores[row * size + place]!;
    });
  }
  for (const { row, highest } of open) {
    nearest.offerRest(begin + row, scores.subarray(row * size, (row + 1) * size), first, highest);
  }
}

function scoresOf(
  candidates: readonly string[],
  vectors: Float32Array,
  query: number,
  { data, dimensions, rows, scales }: ImageEmbeddings,
): number[] {
  return candidates.map((id) => {
    const row = rows.get(id)!;
    const product = dot(vectors, query * dimensions, data, row * dimensions, dimensions);
    return Math.fround(Math.fround(product) * scales[row]!);
  });
}

/** Ranges of nearly equal size, none larger than `most`. The engine rounds small blocks otherwise than large ones. */
function evenParts(count: number, most: number): (readonly [number, number])[] {
  const parts = Math.ceil(count / most);
  const bound = (part: number) => Math.round((part * count) / parts);
  return Array.from({ length: parts }, (_, part) => [bound(part), bound(part + 1)] as const);
}
