/** The pictures of an index in memory: their facts, their directions, and which are nearest to a query. */

import type { BrokenEntry, LoggedEntry, PictureEntry } from './row-log.ts';

export interface Row {
  readonly at: number;
  readonly facts: Omit<PictureEntry, 'kind'>;
}

/** Rows of one array: small enough to grow without a pause. */
const rowsPerBlock = 4096;

export class Rows {
  readonly dimensions: number;
  readonly #blocks: Float32Array[] = [];
  /** By place; undefined where a picture has gone. */
  readonly #rows: (Row | undefined)[] = [];
  readonly #norms: number[] = [];
  readonly #free: number[] = [];
  readonly #byPath = new Map<string, Row>();
  readonly #byId = new Map<string, Row>();
  readonly broken = new Map<string, BrokenEntry>();

  constructor(dimensions: number) {
    this.dimensions = dimensions;
  }

  get size(): number {
    return this.#byPath.size;
  }

  /** Takes what a log tells. */
  take({ embedding, ...entry }: LoggedEntry): void {
    this.broken.delete(entry.path);
    const old = this.#byPath.get(entry.path);
    if (old) this.#remove(old);
    if (entry.kind === 'broken') this.broken.set(entry.path, entry);
    if (entry.kind !== 'picture' || embedding === undefined) return;
    const at = this.#free.pop() ?? this.#rows.length;
    const { kind: _, ...facts } = entry;
    const row: Row = { at, facts };
    const into = this.vector(row);
    let squares = 0;
    for (const value of embedding) squares += value * value;
    const norm = Math.sqrt(squares);
    for (let place = 0; place < into.length; place++) into[place] = embedding[place]! / norm;
    this.#norms[at] = norm;
    this.#rows[at] = row;
    this.#byPath.set(entry.path, row);
    this.#byId.set(facts.id, row);
  }

  withPath(path: string): Row | undefined {
    return this.#byPath.get(path);
  }

  withId(id: string): Row | undefined {
    return this.#byId.get(id);
  }

  withHash(hash: string): Row | undefined {
    for (const row of this.all()) if (row.facts.hash === hash) return row;
    return undefined;
  }

  all(): Iterable<Row> {
    return this.#byPath.values();
  }

  /** Of length 1. It is not a copy. */
  vector({ at }: Pick<Row, 'at'>): Float32Array {
    const block = Math.floor(at / rowsPerBlock);
    this.#blocks[block] ??= new Float32Array(rowsPerBlock * this.dimensions);
    const begin = (at % rowsPerBlock) * this.dimensions;
    return this.#blocks[block].subarray(begin, begin + this.dimensions);
  }

  /** The length of its embedding. */
  norm({ at }: Row): number {
    return this.#norms[at]!;
  }

  /** The rows that pass, by their cosine similarity with a query of length 1: the nearest `count`, in order. */
  nearest(query: Float32Array, count: number, passes: (row: Row) => boolean): { row: Row; score: number }[] {
    const scores = new Float32Array(this.#rows.length);
    const candidates: number[] = [];
    for (const [number, block] of this.#blocks.entries()) {
      const first = number * rowsPerBlock;
      const rows = Math.min(rowsPerBlock, this.#rows.length - first);
      for (let place = 0; place < rows; place++) {
        const row = this.#rows[first + place];
        if (row === undefined || !passes(row)) continue;
        scores[first + place] = product(block, place * this.dimensions, query);
        candidates.push(first + place);
      }
    }
    return best(candidates, scores, count).map((at) => ({ row: this.#rows[at]!, score: scores[at]! }));
  }

  #remove(row: Row): void {
    this.#byPath.delete(row.facts.path);
    this.#byId.delete(row.facts.id);
    this.#rows[row.at] = undefined;
    this.#free.push(row.at);
  }
}

/** Four sums at a time, because each addition waits for the one before it. */
function product(block: Float32Array, begin: number, query: Float32Array): number {
  const { length } = query;
  const whole = length - (length % 4);
  let [one, two, three, four] = [0, 0, 0, 0];
  for (let at = 0; at < whole; at += 4) {
    one += block[begin + at]! * query[at]!;
    two += block[begin + at + 1]! * query[at + 1]!;
    three += block[begin + at + 2]! * query[at + 2]!;
    four += block[begin + at + 3]! * query[at + 3]!;
  }
  for (let at = whole; at < length; at++) one += block[begin + at]! * query[at]!;
  return one + two + (three + four);
}

/** Sorts no more than it must: engines sort numbers ten times as fast as by a function. */
function best(candidates: readonly number[], scores: Float32Array, count: number): number[] {
  let wanted = candidates;
  if (candidates.length > count) {
    const sorted = Float32Array.from(candidates, (at) => scores[at]!).sort();
    const least = sorted[sorted.length - count]!;
    wanted = candidates.filter((at) => scores[at]! >= least);
  }
  return wanted.toSorted((a, b) => scores[b]! - scores[a]! || a - b).slice(0, count);
}
