/** What could not be read while the sources were looked through: files, folders and members, however many. */

import type { Scratch } from '../files/index.ts';
import type { Unreadable } from '../pictures/index.ts';
import { LongList } from './records/list.ts';
import { RecordTable } from './records/table.ts';

export class UnreadablePlaces {
  readonly #table: RecordTable;
  readonly #all: LongList<Unreadable>;

  constructor(scratch: Scratch, held?: number) {
    this.#table = new RecordTable(scratch, held);
    this.#all = new LongList(scratch, held);
  }

  /** Notes a place. Call `tidy` after some thousand. */
  note(place: Unreadable): void {
    const entry = { marks: place.isMissing ? 1 : 0, size: 0, modified: 0, statusChanged: 0 };
    const known = this.#table.find(place.path);
    if (known) this.#table.update({ ...known, ...entry });
    else {
      this.#table.put(place.path, entry);
      this.#all.push(place);
    }
  }

  async tidy(): Promise<void> {
    await this.#table.tidy();
  }

  /** Whether it is known that nothing is there; undefined for a place that was not noted. */
  isMissing(path: string): boolean | undefined {
    if (this.#all.length === 0) return undefined;
    const found = this.#table.find(path);
    return found && found.marks === 1;
  }

  /** Whether a path, or a folder or shard above it, was noted. */
  covers(path: string): boolean {
    if (this.#all.length === 0) return false;
    const has = (place: string) => this.#table.find(place) !== undefined;
    if (has(path)) return true;
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (has(path.slice(0, end)) || (path[end - 1] === '!' && has(path.slice(0, end - 1)))) return true;
    }
    return false;
  }

  /** Each place once. */
  [Symbol.iterator](): Iterator<Unreadable> {
    return this.#all[Symbol.iterator]();
  }

  close(): void {
    this.#table.close();
    this.#all.close();
  }
}
