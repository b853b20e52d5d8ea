/** A table of facts by name, for any number of names: in memory while they are few, then also in sorted temporary files. */
// A log-structured merge tree (O'Neil et al., 1996): what fills the memory becomes a run, and runs of a size become one.

import { hash } from 'node:crypto';
import { totalmem } from 'node:os';
import type { Scratch } from '../../files/index.ts';
import {
  bytesPerRecord,
  compareKeys,
  type Entry,
  entryAt,
  makeRecords,
  merged,
  type Records,
  RunWriter,
  type SortedRun,
  setEntry,
  wordsPerRecord,
} from './run.ts';

/** An entry, and where it is until the table changes. */
export interface Found extends Entry {
  readonly place: number;
  /** Undefined: in memory. */
  readonly run: SortedRun | undefined;
}

/** The part of the machine's memory for one table: some 15 million images on a machine of 24 GB. */
const memoryPart = 1 / 32;
const fewest = 1024;
const key = makeRecords(1);

/** How many images' facts are held in memory if nobody says. */
export function heldByDefault(): number {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return Math.floor((memory * memoryPart) / bytesPerRecord);
}

/** A run is merged with the one before it unless that is larger by more than this factor. So there are few. */
const sizeRatio = 2;

export class RecordTable {
  readonly #scratch: Scratch;
  readonly #held: number;
  readonly #combine: (before: Entry, now: Entry) => Entry;
  #records: Records = makeRecords(fewest);
  #count = 0;
  /** Places in memory plus 1, by the first bits of keys. 0: none. */
  #slots = new Uint32Array(2 * fewest);
  /** The oldest first. */
  #runs: SortedRun[] = [];

  /**
   * @param held entries that memory holds
   * @param combine what becomes of an entry when another comes for the same name
   */
  constructor(
    scratch: Scratch,
    held = heldByDefault(),
    combine: (before: Entry, now: Entry) => Entry = (_, now) => now,
  ) {
    this.#scratch = scratch;
    this.#held = Math.max(held, 1);
    this.#combine = combine;
  }

  /** Whether a part of it is on disk. */
  get isSpilled(): boolean {
    return this.#runs.length > 0;
  }

  find(name: string): Found | undefined {
    setKey(name);
    const place = this.#placeInMemory();
    if (place !== undefined) return { ...entryAt(this.#records, place), place, run: undefined };
    for (let at = this.#runs.length - 1; at >= 0; at -= 1) {
      const run = this.#runs[at]!;
      const found = run.find(key.words);
      if (found) return { ...found.entry, place: found.place, run };
    }
    return undefined;
  }

  /** Writes back what `find` found. */
  update(found: Found): void {
    if (found.run) found.run.update(found.place, found);
    else setEntry(this.#records, found.place, found);
  }

  /** Adds an entry. Call `tidy` after some thousand. */
  put(name: string, entry: Entry): void {
    setKey(name);
    const present = this.#placeInMemory();
    if (present !== undefined) {
      setEntry(this.#records, present, this.#combine(entryAt(this.#records, present), entry));
      return;
    }
    if ((this.#count + 1) * bytesPerRecord > this.#records.bytes.length) this.#grow();
    const place = this.#count;
    this.#count += 1;
    this.#records.words.set(key.words, wordsPerRecord * place);
    setEntry(this.#records, place, entry);
    this.#slots[this.#slotOf(key.words, 0)] = place + 1;
  }

  /** Moves what is in memory to disk if that is too much. */
  async tidy(): Promise<void> {
    if (this.#count < this.#held) return;
    await this.#spill();
    while (this.#runs.length > 1 && this.#runs.at(-2)!.count <= sizeRatio * this.#runs.at(-1)!.count) {
      await this.#mergeLast();
    }
  }

  /** Makes lookups as quick as they can be: after the last one of many has been added. */
  async settle(): Promise<void> {
    if (!this.isSpilled) return;
    await this.#spill();
    while (this.#runs.length > 1) await this.#mergeLast();
  }

  close(): void {
    for (const run of this.#runs) run.close();
    this.#runs = [];
  }

  async #mergeLast(): Promise<void> {
    const last = this.#runs.slice(-2) as [SortedRun, SortedRun];
    const run = await merged(last, this.#combine, this.#scratch);
    this.#runs.splice(-2, 2, run);
  }

  async #spill(): Promise<void> {
    if (this.#count === 0) return;
    const writer = new RunWriter(this.#scratch, this.#count);
    try {
      for (const place of sortedPlaces(this.#records.words, this.#count)) {
        writer.append(this.#records, place);
        if (writer.isFull) await writer.flush();
      }
      this.#runs.push(await writer.finish());
    } catch (error) {
      writer.close();
      throw error;
    }
    this.#count = 0;
    this.#slots.fill(0);
  }

  #grow(): void {
    const old = this.#records;
    this.#records = makeRecords(2 * (old.bytes.length / bytesPerRecord));
    this.#records.bytes.set(old.bytes);
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let place = 0; place < this.#count; place += 1) {
      this.#slots[this.#slotOf(this.#records.words, place)] = place + 1;
    }
  }

  #placeInMemory(): number | undefined {
    const place = this.#slots[this.#slotOf(key.words, 0)]!;
    return place === 0 ? undefined : place - 1;
  }

  /** The slot of a key, or a free one for it. */
  #slotOf(words: Uint32Array, at: number): number {
    const last = this.#slots.length - 1;
    let slot = words[wordsPerRecord * at]! & last;
    while (
      this.#slots[slot] !== 0 &&
      compareKeys(words, at, this.#records.words, this.#slots[slot]! - 1) !== 0
    )
      slot = (slot + 1) & last;
    return slot;
  }
}

/** The places of records in the order of their keys: dealt out by their first bits, so that only few are compared. */
function* sortedPlaces(words: Uint32Array, count: number): Generator<number, void, void> {
  const bits = Math.min(16, Math.ceil(Math.log2(count)));
  const bucketOf = (place: number) => Math.floor(words[wordsPerRecord * place]! / 2 ** (32 - bits));
  const ends = new Uint32Array(2 ** bits + 1);
  for (let place = 0; place < count; place += 1) ends[bucketOf(place) + 1]! += 1;
  for (let bucket = 0; bucket < 2 ** bits; bucket += 1) ends[bucket + 1]! += ends[bucket]!;
  const order = new Uint32Array(count);
  for (let place = 0; place < count; place += 1) {
    const bucket = bucketOf(place);
    order[ends[bucket]!] = place;
    ends[bucket]! += 1;
  }
  let start = 0;
  for (const end of ends.subarray(0, 2 ** bits)) {
    yield* order.subarray(start, end).sort((one, other) => compareKeys(words, one, words, other));
    start = end;
  }
}

function setKey(name: string): void {
  // As a text, because a buffer for each would take far more memory until it is collected.
  const digest = hash('sha256', name);
  for (let word = 0; word < 3; word += 1) {
    key.words[word] = Number.parseInt(digest.slice(8 * word, 8 * word + 8), 16);
  }
}
