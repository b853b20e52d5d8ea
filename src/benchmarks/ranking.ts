/** Ranks images exactly by cosine similarity. The order of equal ones does not depend on the answers. */

import { LincirError } from '../core/index.ts';
import { gemm, input, Session } from '../onnx/index.ts';
import type { Benchmark, BenchmarkQuery, Ranking } from './benchmark.ts';
import { type ImageEmbeddings, rowsOf } from './embed-images.ts';

/** Size of a block of similarities: large enough for the engine, small enough for caches. */
const block = { queries: 256, pictures: 16_384 } as const;

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
  const galleries = new Map<number, readonly string[]>();
  const session = await similarities(dimensions, threads);
  try {
    for (const [name, ids] of benchmark.galleries) {
      const gallery = new Gallery(ids, pictures, norms);
      const asking = [...queries.keys()].filter((at) => queries[at]!.gallery === name);
      for (let begin = 0; begin < asking.length; begin += block.queries) {
        const some = asking.slice(begin, begin + block.queries);
        const data = rowsOf(vectors, some, dimensions);
        const nearest = some.map((at) => gallery.nearest(benchmark.topK, queries[at]!));
        for (let first = 0; first < ids.length; first += block.pictures) {
          const { scores } = await session.run<'scores'>({
            queries: { shape: [some.length, dimensions], data },
            pictures: gallery.block(first, block.pictures),
          });
          const count = scores.shape[1]!;
          for (const [row, one] of nearest.entries()) {
            one.offer(scores.data.subarray(row * count, (row + 1) * count), first);
          }
        }
        for (const [row, at] of some.entries()) galleries.set(at, nearest[row]!.ids());
      }
    }
  } finally {
    await session.dispose();
  }
  return queries.map((query, at) => {
    const found = galleries.get(at);
    const ranked =
      query.candidates && rankedCandidates(query.candidates, query.id, at, vectors, pictures, norms);
    return { ...(found && { gallery: found }), ...(ranked && { candidates: ranked }) };
  });
}

function rankedCandidates(
  candidates: readonly string[],
  query: string,
  at: number,
  vectors: Float32Array,
  { data, dimensions, rows }: ImageEmbeddings,
  norms: Float32Array,
): string[] {
  const scores = Float32Array.from(candidates, (id) => {
    const offset = rows.get(id)! * dimensions;
    let sum = 0;
    for (let i = 0; i < dimensions; i += 1) sum += vectors[at * dimensions + i]! * data[offset + i]!;
    return sum;
  });
  const scales = Float32Array.from(candidates, (id) => norms[rows.get(id)!]!);
  const nearest = new Nearest(
    candidates,
    Uint32Array.from(candidates, hashOf),
    scales,
    candidates.length,
    query,
  );
  nearest.offer(scores, 0);
  return nearest.ids();
}

/** 1 / the length of every row; 0 for a row of zeros. */
function inverseNorms({ data, dimensions }: ImageEmbeddings): Float32Array {
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
  return await Session.create({ scores }, { threads });
}

/** A gallery's images in its order, ready for comparison. */
class Gallery {
  readonly #ids: readonly string[];
  readonly #data: Float32Array;
  readonly #dimensions: number;
  readonly #hashes: Uint32Array;
  readonly #scales: Float32Array;
  readonly #positions: ReadonlyMap<string, number>;

  constructor(ids: readonly string[], { data, dimensions, rows }: ImageEmbeddings, norms: Float32Array) {
    const own = ids.map((id) => rows.get(id)!);
    this.#ids = ids;
    this.#data = rowsOf(data, own, dimensions);
    this.#dimensions = dimensions;
    this.#hashes = Uint32Array.from(ids, hashOf);
    this.#scales = Float32Array.from(own, (row) => norms[row]!);
    this.#positions = new Map(ids.map((id, position) => [id, position]));
  }

  /** Rows from `first` on. */
  block(first: number, most: number) {
    const size = this.#dimensions;
    const data = this.#data.subarray(first * size, (first + most) * size);
    return { shape: [data.length / size, size], data };
  }

  nearest(count: number, { id, exclude = [] }: BenchmarkQuery): Nearest {
    const left = new Set(exclude.flatMap((other) => this.#positions.get(other) ?? []));
    return new Nearest(this.#ids, this.#hashes, this.#scales, count, id, left);
  }
}

/** Collects a query's best images from scores that come in blocks: a heap whose first element is the worst. */
class Nearest {
  readonly #ids: readonly string[];
  readonly #hashes: Uint32Array;
  readonly #scales: Float32Array;
  readonly #count: number;
  readonly #salt: number;
  readonly #exclude: ReadonlySet<number>;
  readonly #scores: Float32Array;
  readonly #positions: Int32Array;
  #size = 0;

  /** @param scales factors for each image's scores, which come without them */
  constructor(
    ids: readonly string[],
    hashes: Uint32Array,
    scales: Float32Array,
    count: number,
    query: string,
    exclude: ReadonlySet<number> = new Set(),
  ) {
    this.#ids = ids;
    this.#hashes = hashes;
    this.#scales = scales;
    this.#count = Math.min(count, ids.length);
    this.#salt = hashOf(query);
    this.#exclude = exclude;
    this.#scores = new Float32Array(this.#count);
    this.#positions = new Int32Array(this.#count);
  }

  /** Takes the scores of the images from position `first` on. */
  offer(scores: Float32Array, first: number): void {
    const scales = this.#scales;
    let least = this.#size === this.#count ? this.#scores[0]! : Number.NEGATIVE_INFINITY;
    for (let at = 0; at < scores.length; at += 1) {
      const score = Math.fround(scores[at]! * scales[first + at]!);
      if (score < least) continue;
      const position = first + at;
      if (this.#exclude.has(position)) continue;
      if (this.#size < this.#count) this.#push(score, position);
      else if (this.#isWorse(this.#scores[0]!, this.#positions[0]!, score, position))
        this.#sink(score, position);
      if (this.#size === this.#count) least = this.#scores[0]!;
    }
  }

  /** The best first. */
  ids(): string[] {
    const order = [...this.#positions.subarray(0, this.#size).entries()];
    return order
      .sort(([a, one], [b, other]) =>
        this.#isWorse(this.#scores[a]!, one, this.#scores[b]!, other) ? 1 : -1,
      )
      .map(([, position]) => this.#ids[position]!);
  }

  /** Whether the first image ranks after the second. */
  #isWorse(score: number, position: number, otherScore: number, other: number): boolean {
    if (score !== otherScore) return score < otherScore;
    const [own, others] = [this.#tie(position), this.#tie(other)];
    return own > others || (own === others && position > other);
  }

  #tie(position: number): number {
    return mixed(this.#hashes[position]! ^ this.#salt);
  }

  #push(score: number, position: number): void {
    let child = this.#size;
    this.#size += 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isWorse(score, position, this.#scores[parent]!, this.#positions[parent]!)) break;
      this.#set(child, this.#scores[parent]!, this.#positions[parent]!);
      child = parent;
    }
    this.#set(child, score, position);
  }

  /** Replaces the worst image. */
  #sink(score: number, position: number): void {
    let parent = 0;
    for (;;) {
      let worst = 2 * parent + 1;
      if (worst >= this.#size) break;
      const right = worst + 1;
      if (right < this.#size && this.#isWorseAt(right, worst)) worst = right;
      if (!this.#isWorse(this.#scores[worst]!, this.#positions[worst]!, score, position)) break;
      this.#set(parent, this.#scores[worst]!, this.#positions[worst]!);
      parent = worst;
    }
    this.#set(parent, score, position);
  }

  #isWorseAt(a: number, b: number): boolean {
    return this.#isWorse(this.#scores[a]!, this.#positions[a]!, this.#scores[b]!, this.#positions[b]!);
  }

  #set(at: number, score: number, position: number): void {
    this.#scores[at] = score;
    this.#positions[at] = position;
  }
}

/** FNV-1a (Fowler, Noll, Vo) over UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** The finalizer of MurmurHash3: makes similar numbers dissimilar. */
function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
