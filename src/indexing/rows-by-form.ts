/** Numbers of a table's rows by the names that their keys may mean, for any number of rows. */

import type { Scratch } from '../files/index.ts';
import type { Entry } from './records/run.ts';
import { RecordTable } from './records/table.ts';

/** Names that are held as they are, which is quicker. */
const heldByDefault = 2 ** 17;

export class RowsByForm {
  readonly #scratch: Scratch;
  readonly #limit: number;
  #few: Map<string, number[]> | undefined = new Map();
  /** The first row's number as `size`, and how many more there are as `modified`: these have numbered names. */
  #many: RecordTable | undefined;

  constructor(scratch: Scratch, held = heldByDefault) {
    this.#scratch = scratch;
    this.#limit = held;
  }

  /** Call `tidy` after some thousand, and `settle` after the last. */
  add(form: string, row: number): void {
    const rows = this.#few?.get(form);
    if (this.#many) put(this.#many, form, row);
    else if (rows) rows.push(row);
    else this.#few!.set(form, [row]);
  }

  get(form: string): readonly number[] {
    if (this.#few) return this.#few.get(form) ?? [];
    const found = this.#many!.find(form);
    if (found === undefined) return [];
    const others = Array.from({ length: found.modified }, (_, at) => this.#many!.find(numbered(form, at))!);
    return [found, ...others].map(({ size }) => size);
  }

  async tidy(): Promise<void> {
    if (this.#few && this.#few.size > this.#limit) {
      this.#many = new RecordTable(this.#scratch, Math.max(this.#limit, 1));
      for (const [form, rows] of this.#few) for (const row of rows) put(this.#many, form, row);
      this.#few = undefined;
    }
    await this.#many?.tidy();
  }

  async settle(): Promise<void> {
    await this.tidy();
    await this.#many?.settle();
  }

  close(): void {
    this.#many?.close();
  }
}

function put(table: RecordTable, form: string, row: number): void {
  const entry: Entry = { marks: 0, size: row, modified: 0, statusChanged: 0 };
  const first = table.find(form);
  if (first === undefined) {
    table.put(form, entry);
    return;
  }
  table.put(numbered(form, first.modified), entry);
  first.modified += 1;
  table.update(first);
}

/** No name has a zero byte. */
function numbered(form: string, at: number): string {
  return `${form}\0${at}`;
}
