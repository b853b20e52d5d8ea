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
  readonly #byHash = new Map<string, Set<Row>>();
  readonly #byFolder = new Map<string, number>();
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
    const same = this.#byHash.get(facts.hash) ?? new Set();
    this.#byHash.set(facts.hash, same.add(row));
    this.#count(row, 1);
  }

  withPath(path: string): Row | undefined {
    return this.#byPath.get(path);
  }

  withId(id: string): Row | undefined {
    return this.#byId.get(id);
  }

  withHash(hash: string): Row | undefined {
    return this.#byHash.get(hash)?.values().next().value;
  }

  /** Of a folder and those below: of pictures, and of what cannot be decoded. */
  pathsIn(folder: string): string[] {
    const all = [...this.#byPath.keys(), ...this.broken.keys()];
    return all.filter((path) => path.startsWith(`${folder}/`));
  }

  *inFolder(folder: string): Generator<Row> {
    for (const row of this.all()) if (row.facts.path.startsWith(`${folder}/`)) yield row;
  }

  /** How many pictures each of the topmost folders has. */
  byFolder(): ReadonlyMap<string, number> {
    return this.#byFolder;
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

  /** As the model gave it. */
  embedding(row: Row): Float32Array {
    const norm = this.norm(row);
    return this.vector(row).map((value) => value * norm);
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

  #count({ facts: { path } }: Row, change: 1 | -1): void {
    const folder = path.slice(0, path.indexOf('/'));
    const count = (this.#byFolder.get(folder) ?? 0) + change;
    if (count > 0) this.#byFolder.set(folder, count);
    else this.#byFolder.delete(folder);
  }

  #remove(row: Row): void {
    this.#byPath.delete(row.facts.path);
    this.#byId.delete(row.facts.id);
    const same = this.#byHash.get(row.facts.hash);
    same?.delete(row);
    if (same?.size === 0) this.#byHash.delete(row.facts.hash);
    this.#count(row, -1);
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
