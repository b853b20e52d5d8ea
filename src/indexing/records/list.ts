/** A list of any length: in memory while it is short, then in a temporary file. */

import { parseJsonText } from '../../core/index.ts';
import type { Scratch, ScratchFile } from '../../files/index.ts';

/** So many items take some 50 MB. */
const heldByDefault = 65_536;
const bytesPerRead = 2 ** 20;
const lineEnd = 0x0a;

/** Items are JSON, without undefined. Close it. */
export class LongList<Item> {
  readonly #scratch: Scratch;
  readonly #limit: number;
  #held: Item[] = [];
  #file: ScratchFile | undefined;
  length = 0;

  constructor(scratch: Scratch, limit = heldByDefault) {
    this.#scratch = scratch;
    this.#limit = limit;
  }

  push(item: Item): void {
    this.#held.push(item);
    this.length += 1;
    if (this.#held.length <= this.#limit) return;
    this.#file ??= this.#scratch.file();
    this.#file.append(Buffer.from(this.#held.map((one) => `${JSON.stringify(one)}\n`).join('')));
    this.#held = [];
  }

  /** All items in order, as often as you like. */
  *[Symbol.iterator](): Generator<Item, void, void> {
    const end = this.#file?.length ?? 0;
    let rest: Uint8Array = new Uint8Array();
    for (let at = 0; at < end; at += bytesPerRead) {
      const read = Buffer.alloc(Math.min(bytesPerRead, end - at));
      this.#file!.read(read, at);
      const bytes = Buffer.concat([rest, read]);
      const complete = bytes.lastIndexOf(lineEnd) + 1;
      rest = bytes.subarray(complete);
      for (const line of bytes.toString('utf8', 0, complete).split('\n')) {
        if (line !== '') yield parseJsonText(line, 'a temporary file') as Item;
      }
    }
    yield* this.#held;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
