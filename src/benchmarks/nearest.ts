/** Queries' best images so far, in their order. Equally similar ones have a fixed order that favours none. */

import type { BenchmarkQuery } from './benchmark.ts';

/** The best images of one gallery for each of some queries: a row each. */
export class Nearest {
  readonly #ids: readonly string[];
  readonly #queries: readonly Pick<BenchmarkQuery, 'id' | 'exclude'>[];
  readonly #count: number;
  /** How many are kept for each query: as many as are wanted, and as many as are excluded. */
  readonly #width: number;
  /** [queries, width], in descending order, excluded images among them. */
  readonly #scores: Float32Array;
  readonly #positions: Int32Array;
  /** How many there are for each query. */
  readonly #sizes: Int32Array;

  /** @param ids of the images that may be offered, by their positions */
  constructor(
    ids: readonly string[],
    count: number,
    queries: readonly Pick<BenchmarkQuery, 'id' | 'exclude'>[],
  ) {
    const excluded = queries.reduce((most, { exclude = [] }) => Math.max(most, exclude.length), 0);
    this.#ids = ids;
    this.#queries = queries;
    this.#count = count;
    this.#width = Math.min(count + excluded, ids.length);
    this.#scores = new Float32Array(queries.length * this.#width);
    this.#positions = new Int32Array(this.#scores.length);
    this.#sizes = new Int32Array(queries.length);
  }

  /**
   * Takes the best of a block for a query, in descending order, but for those that equal the last: the block may have more
   * of these.
   * @param scores of several queries, `count` each; those of this one begin at `at`
   * @param positions as `scores`, within the block, which begins at position `first`
   * @returns whether nothing else of the block can belong here; if not, offer the rest of it
   */
  offerBest(
    row: number,
    scores: Float32Array,
    positions: Float32Array,
    at: number,
    count: number,
    first: number,
  ): boolean {
    const last = scores[at + count - 1]!;
    const begin = row * this.#width;
    let from = at;
    // Of the first block, all that differ from their neighbours are known to be in order.
    if (this.#sizes[row] === 0) {
      const end = at + Math.min(this.#width, count - 1);
      for (; from < end && scores[from]! > scores[from + 1]!; from += 1) {
        this.#scores[begin + from - at] = scores[from]!;
        this.#positions[begin + from - at] = first + positions[from]!;
      }
      this.#sizes[row] = from - at;
    }
    for (; scores[from]! > last; from += 1) this.#offer(row, scores[from]!, first + positions[from]!);
    return this.#least(row) > last;
  }

  /** Takes a block from position `first` on for a query, but for scores above `highest`. */
  offerRest(row: number, scores: Float32Array, first: number, highest = Number.POSITIVE_INFINITY): void {
    for (let at = 0; at < scores.length; at += 1) {
      if (!(scores[at]! > highest)) this.#offer(row, scores[at]!, first + at);
    }
  }

  /** The best first. */
  ids(row: number): string[] {
    const { exclude = [] } = this.#queries[row]!;
    const begin = row * this.#width;
    const found: string[] = [];
    for (let place = begin; place < begin + this.#sizes[row]! && found.length < this.#count; place += 1) {
      const id = this.#ids[this.#positions[place]!]!;
      if (!exclude.includes(id)) found.push(id);
    }
    return found;
  }

  /** What a score must reach. */
  #least(row: number): number {
    if (this.#sizes[row]! < this.#width) return Number.NEGATIVE_INFINITY;
    return this.#scores[(row + 1) * this.#width - 1] ?? Number.POSITIVE_INFINITY;
  }

  #offer(row: number, score: number, position: number): void {
    if (score < this.#least(row)) return;
    const begin = row * this.#width;
    const size = this.#sizes[row]!;
    let end = begin + size;
    let place = size > 0 && this.#isWorse(row, end - 1, score, position) ? begin : end;
    while (place < end) {
      const middle = (place + end) >> 1;
      if (this.#isWorse(row, middle, score, position)) end = middle;
      else place = middle + 1;
    }
    if (place === begin + this.#width) return;
    const last = begin + Math.min(size, this.#width - 1);
    this.#scores.copyWithin(place + 1, place, last);
    this.#positions.copyWithin(place + 1, place, last);
    this.#scores[place] = score;
    this.#positions[place] = position;
    this.#sizes[row] = Math.min(size + 1, this.#width);
  }

  /** Whether the image at this place ranks after another. */
  #isWorse(row: number, place: number, score: number, position: number): boolean {
    const own = this.#scores[place]!;
    if (own !== score) return own < score;
    const [tie, other] = [this.#tie(row, this.#positions[place]!), this.#tie(row, position)];
    return tie > other || (tie === other && this.#positions[place]! > position);
  }

  #tie(row: number, position: number): number {
    return mixed(hashOf(this.#ids[position]!) ^ hashOf(this.#queries[row]!.id));
  }
}

/** All images by their scores for a query, the best first. */
export function inOrder(ids: readonly string[], scores: readonly number[], query: string): string[] {
  const tie = (at: number) => mixed(hashOf(ids[at]!) ^ hashOf(query));
  return ids
    .map((_, at) => at)
    .sort((a, b) => scores[b]! - scores[a]! || tie(a) - tie(b))
    .map((at) => ids[at]!);
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
