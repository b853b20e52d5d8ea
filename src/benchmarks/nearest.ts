/** A query's best images so far, in their order. Equally similar ones have a fixed order that favours none. */

import type { BenchmarkQuery } from './benchmark.ts';

export class Nearest {
  readonly #ids: readonly string[];
  readonly #count: number;
  readonly #exclude: readonly string[];
  readonly #salt: number;
  /** Both in descending order, excluded images among them. */
  readonly #scores: Float32Array;
  readonly #positions: Int32Array;
  #size = 0;

  /** @param ids of the images that may be offered, by their positions */
  constructor(
    ids: readonly string[],
    count: number,
    { id, exclude = [] }: Pick<BenchmarkQuery, 'id' | 'exclude'>,
  ) {
    this.#ids = ids;
    this.#count = count;
    this.#exclude = exclude;
    this.#salt = hashOf(id);
    this.#scores = new Float32Array(Math.min(count + exclude.length, ids.length));
    this.#positions = new Int32Array(this.#scores.length);
  }

  /**
   * Takes the best of a block, in descending order, but for those that equal the last: the block may have more of these.
   * @param positions within the block, which begins at position `first`
   * @returns whether nothing else of the block can belong here; if not, offer the rest of it
   */
  offerBest(scores: Float32Array, positions: Float32Array, first: number): boolean {
    const last = scores.at(-1)!;
    for (let at = 0; scores[at]! > last; at += 1) this.#offer(scores[at]!, first + positions[at]!);
    return this.#least > last;
  }

  /** Takes a block from position `first` on, but for scores above `highest`. */
  offerRest(scores: Float32Array, first: number, highest = Number.POSITIVE_INFINITY): void {
    for (let at = 0; at < scores.length; at += 1) {
      if (!(scores[at]! > highest)) this.#offer(scores[at]!, first + at);
    }
  }

  /** The best first. */
  ids(): string[] {
    const found = new Array<string>(Math.min(this.#count, this.#size));
    let size = 0;
    for (let at = 0; at < this.#size && size < this.#count; at += 1) {
      const id = this.#ids[this.#positions[at]!]!;
      if (!this.#exclude.includes(id)) found[size++] = id;
    }
    found.length = size;
    return found;
  }

  /** What a score must reach. */
  get #least(): number {
    const count = this.#scores.length;
    return this.#size < count
      ? Number.NEGATIVE_INFINITY
      : (this.#scores[count - 1] ?? Number.POSITIVE_INFINITY);
  }

  #offer(score: number, position: number): void {
    if (score < this.#least) return;
    let end = this.#size;
    let place = end > 0 && this.#isWorse(end - 1, score, position) ? 0 : end;
    while (place < end) {
      const middle = (place + end) >> 1;
      if (this.#isWorse(middle, score, position)) end = middle;
      else place = middle + 1;
    }
    if (place === this.#scores.length) return;
    if (place < this.#size) {
      this.#scores.copyWithin(place + 1, place, this.#size);
      this.#positions.copyWithin(place + 1, place, this.#size);
    }
    this.#scores[place] = score;
    this.#positions[place] = position;
    this.#size = Math.min(this.#size + 1, this.#scores.length);
  }

  /** Whether the image at this place ranks after another. */
  #isWorse(place: number, score: number, position: number): boolean {
    const own = this.#scores[place]!;
    if (own !== score) return own < score;
    const [tie, other] = [this.#tie(this.#positions[place]!), this.#tie(position)];
    return tie > other || (tie === other && this.#positions[place]! > position);
  }

  #tie(position: number): number {
    return mixed(hashOf(this.#ids[position]!) ^ this.#salt);
  }
}

/** All images by their scores for a query, the best first. */
export function inOrder(ids: readonly string[], scores: Float32Array, query: string): string[] {
  const salt = hashOf(query);
  const tie = (at: number) => mixed(hashOf(ids[at]!) ^ salt);
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
