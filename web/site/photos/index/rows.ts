/** The pictures of an index in memory: their facts, their directions, and which are nearest to a query. */

import { RowProducts } from '../../../../src/core/index.ts';
import type { BrokenEntry, LoggedEntry, PictureEntry } from './row-log.ts';

export interface Row {
  readonly at: number;
  readonly facts: Omit<PictureEntry, 'kind'>;
}

/** The rows' memory comes in pieces: few, for each reserves much room, and none too large to be had. */
const mostRowsPerBlock = 2 ** 14;
const mostNumbersPerBlock = 2 ** 23;

export class Rows {
  readonly dimensions: number;
  readonly #blocks: RowProducts[] = [];
  readonly #rowsPerBlock: number;
  /** By place; undefined where a picture has gone. */
  readonly #rows: (Row | undefined)[] = [];
  readonly #norms: number[] = [];
  readonly #free: number[] = [];
  readonly #byPath = new Map<string, Row>();
  readonly #byId = new Map<string, Row>();
  readonly broken = new Map<string, BrokenEntry>();

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.#rowsPerBlock = Math.min(mostRowsPerBlock, Math.floor(mostNumbersPerBlock / dimensions));
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
    const block = Math.floor(at / this.#rowsPerBlock);
    this.#blocks[block] ??= new RowProducts(this.#rowsPerBlock, this.dimensions);
    return this.#blocks[block].row(at % this.#rowsPerBlock);
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
      const first = number * this.#rowsPerBlock;
      scores.set(block.with(query, Math.min(block.count, scores.length - first)), first);
    }
    for (const row of this.#rows) if (row && passes(row)) candidates.push(row.at);
    return best(candidates, scores, count).map((at) => ({ row: this.#rows[at]!, score: scores[at]! }));
  }

  #remove(row: Row): void {
    this.#byPath.delete(row.facts.path);
    this.#byId.delete(row.facts.id);
    this.#rows[row.at] = undefined;
    this.#free.push(row.at);
  }
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
