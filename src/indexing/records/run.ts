/** Sorted records in a file: one is found in two or three small reads, and two files are merged in one pass. */
// Keys are hashes, spread evenly, so that the place of one can be guessed: interpolation search (Perl, Itai and Avni, 1978).

import { setImmediate as otherWork } from 'node:timers/promises';
import type { Scratch, ScratchFile } from '../../files/index.ts';

/** What is kept for a name: the facts of a file, and marks. */
export interface Entry {
  marks: number;
  size: number;
  modified: number;
  /** NaN if it is not known. */
  statusChanged: number;
}

/** Records, one after the other: a key of 96 bits, marks, and three numbers. */
export interface Records {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array; // [records, 10]
  readonly numbers: Float64Array; // [records, 5]
}

export const bytesPerRecord = 40;
export const wordsPerRecord = bytesPerRecord / 4;
const numbersPerRecord = bytesPerRecord / 8;
const keyWords = 3;
const keyBytes = 4 * keyWords;
/** Records in a look, which are one page. */
const recordsPerLook = 102;
/** Records in a read or write of all, a quarter of a megabyte. */
const recordsPerChunk = 6553;

export function makeRecords(count: number): Records {
  const memory = new ArrayBuffer(count * bytesPerRecord);
  return {
    bytes: new Uint8Array(memory),
    words: new Uint32Array(memory),
    numbers: new Float64Array(memory),
  };
}

export function entryAt({ words, numbers }: Records, at: number): Entry {
  const [size, modified, statusChanged] = numbers.subarray(numbersPerRecord * at + 2);
  return {
    marks: words[wordsPerRecord * at + keyWords]!,
    ...{ size: size!, modified: modified!, statusChanged: statusChanged! },
  };
}

export function setEntry({ words, numbers }: Records, at: number, entry: Entry): void {
  words[wordsPerRecord * at + keyWords] = entry.marks;
  numbers[numbersPerRecord * at + 2] = entry.size;
  numbers[numbersPerRecord * at + 3] = entry.modified;
  numbers[numbersPerRecord * at + 4] = entry.statusChanged;
}

/** Less than, equal to or greater than 0, as the key at one place is to that at another. */
export function compareKeys(one: Uint32Array, at: number, other: Uint32Array, to: number): number {
  const [first, second] = [wordsPerRecord * at, wordsPerRecord * to];
  for (let word = 0; word < keyWords; word += 1) {
    const difference = one[first + word]! - other[second + word]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

const page = makeRecords(recordsPerLook);
const single = makeRecords(1);

export class SortedRun {
  readonly #file: ScratchFile;

  constructor(file: ScratchFile) {
    this.#file = file;
  }

  get count(): number {
    return this.#file.length / bytesPerRecord;
  }

  /** The place of a key, and what is there. */
  find(key: Uint32Array): { readonly place: number; readonly entry: Entry } | undefined {
    let [low, high] = [0, this.count];
    let [lowest, highest] = [0, 2 ** 64];
    const wanted = leading(key, 0);
    while (low < high) {
      const part = (wanted - lowest) / Math.max(highest - lowest, 1);
      const guess = low + Math.floor(part * (high - low)) - recordsPerLook / 2;
      const from = Math.min(Math.max(guess, low), Math.max(low, high - recordsPerLook));
      const count = Math.min(recordsPerLook, high - from);
      this.read(page, from, count);
      if (compareKeys(key, 0, page.words, 0) < 0) [high, highest] = [from, leading(page.words, 0)];
      else if (compareKeys(key, 0, page.words, count - 1) > 0) {
        [low, lowest] = [from + count, leading(page.words, count - 1)];
      } else {
        const at = placeAmong(key, page.words, count);
        return at === undefined ? undefined : { place: from + at, entry: entryAt(page, at) };
      }
    }
    return undefined;
  }

  update(place: number, entry: Entry): void {
    setEntry(single, 0, entry);
    this.#file.write(single.bytes.subarray(keyBytes), place * bytesPerRecord + keyBytes);
  }

  read(into: Records, from: number, count: number): void {
    this.#file.read(into.bytes.subarray(0, count * bytesPerRecord), from * bytesPerRecord);
  }

  close(): void {
    this.#file.close();
  }
}

/** Writes records in the order of their keys. Other work goes on meanwhile. */
export class RunWriter {
  readonly #file: ScratchFile;
  readonly #chunk: Records;
  readonly #size: number;
  #filled = 0;

  /** @param count about how many records will come */
  constructor(scratch: Scratch, count: number) {
    this.#file = scratch.file();
    this.#size = Math.min(count, recordsPerChunk);
    this.#chunk = makeRecords(this.#size);
  }

  /** Whether `flush` is due. */
  get isFull(): boolean {
    return this.#filled === this.#size;
  }

  append({ words }: Records, at: number): void {
    const record = words.subarray(wordsPerRecord * at, wordsPerRecord * (at + 1));
    this.#chunk.words.set(record, wordsPerRecord * this.#filled);
    this.#filled += 1;
  }

  async flush(): Promise<void> {
    this.#file.append(this.#chunk.bytes.subarray(0, this.#filled * bytesPerRecord));
    this.#filled = 0;
    await otherWork();
  }

  async finish(): Promise<SortedRun> {
    await this.flush();
    return new SortedRun(this.#file);
  }

  /** Gives up. */
  close(): void {
    this.#file.close();
  }
}

/** Merges two runs, and closes them. Records of one key become what `combine` makes of the older and the newer. */
export async function merged(
  runs: readonly [older: SortedRun, newer: SortedRun],
  combine: (before: Entry, now: Entry) => Entry,
  scratch: Scratch,
): Promise<SortedRun> {
  const writer = new RunWriter(scratch, runs[0].count + runs[1].count);
  try {
    const [older, newer] = runs.map((run) => new Cursor(run)) as [Cursor, Cursor];
    while (!(older.isOver && newer.isOver)) {
      const order = older.isOver
        ? 1
        : newer.isOver
          ? -1
          : compareKeys(older.records.words, older.at, newer.records.words, newer.at);
      if (order === 0) {
        const [before, now] = [entryAt(older.records, older.at), entryAt(newer.records, newer.at)];
        setEntry(newer.records, newer.at, combine(before, now));
      }
      const next = order < 0 ? older : newer;
      writer.append(next.records, next.at);
      if (order <= 0) older.advance();
      if (order >= 0) newer.advance();
      if (writer.isFull) await writer.flush();
    }
    for (const run of runs) run.close();
    return await writer.finish();
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** Goes through a run. */
class Cursor {
  readonly records: Records;
  at = 0;
  readonly #run: SortedRun;
  #from = 0;
  #count = 0;

  constructor(run: SortedRun) {
    this.#run = run;
    this.records = makeRecords(Math.min(run.count, recordsPerChunk));
    this.#load();
  }

  get isOver(): boolean {
    return this.#count === 0;
  }

  advance(): void {
    this.at += 1;
    if (this.at === this.#count) this.#load();
  }

  #load(): void {
    this.#from += this.#count;
    this.#count = Math.min(recordsPerChunk, this.#run.count - this.#from);
    this.at = 0;
    if (this.#count > 0) this.#run.read(this.records, this.#from, this.#count);
  }
}

/** The first 64 bits of a key. */
function leading(words: Uint32Array, at: number): number {
  return words[wordsPerRecord * at]! * 2 ** 32 + words[wordsPerRecord * at + 1]!;
}

function placeAmong(key: Uint32Array, words: Uint32Array, count: number): number | undefined {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareKeys(key, 0, words, middle);
    if (order === 0) return middle;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return undefined;
}
