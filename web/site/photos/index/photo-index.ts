/** An index of photos in files of its own: rows and thumbnails, which survive a tab that is closed at any moment. */

import type { BytesFile, BytesFolder } from './bytes-file.ts';
import { type LogEntry, type LoggedEntry, type LogHeader, type PictureEntry, RowLog } from './row-log.ts';
import { Rows } from './rows.ts';

/** What to add. A picture brings its embedding, as CLIP gives it, and its thumbnail's bytes. */
export type NewEntry =
  | (Omit<PictureEntry, 'thumbnail'> & {
      readonly embedding: Float32Array;
      readonly thumbnail: Uint8Array;
    })
  | Exclude<LogEntry, { kind: 'picture' }>;

/** Entries that no longer count, beyond which the files are written anew. */
const mostDead = 1000;
const entriesAtOnce = 256;

/** Both files have a number. Files with another than the current one are what a closed tab left. */
const rowsName = (number: number) => `rows-${number}`;
const thumbnailsName = (number: number) => `thumbnails-${number}`;
const currentName = 'current';

export class PhotoIndex {
  readonly rows: Rows;
  /** Grows whenever the pictures change. */
  changes = 1;
  readonly #log: RowLog;
  readonly #thumbnails: BytesFile;

  private constructor(log: RowLog, rows: Rows, thumbnails: BytesFile) {
    this.#log = log;
    this.rows = rows;
    this.#thumbnails = thumbnails;
  }

  /** The index in a folder, if there is one. */
  static async open(folder: BytesFolder): Promise<PhotoIndex | undefined> {
    const number = await currentNumber(folder);
    if (number === 0) return undefined;
    await removeOthers(folder, number);
    if (!(await folder.names()).includes(rowsName(number))) return undefined;
    const found = await read(folder, number);
    if (found === undefined || found.dead <= Math.max(mostDead, found.index.rows.size)) return found?.index;
    return await PhotoIndex.writtenAnew(folder, found.index);
  }

  /** The same index without what no longer counts. It takes the place of the old one, unless there is no room for both. */
  static async writtenAnew(folder: BytesFolder, old: PhotoIndex): Promise<PhotoIndex> {
    const index = await writtenAnew(folder, await currentNumber(folder), old);
    index.changes = old.changes + 1;
    return index;
  }

  /** An empty index, in place of whatever the folder has. */
  static async begin(folder: BytesFolder, header: LogHeader): Promise<PhotoIndex> {
    const number = (await currentNumber(folder)) + 1;
    const index = await empty(folder, number, header);
    await setCurrent(folder, number);
    await removeOthers(folder, number);
    return index;
  }

  /** @internal */
  static of(log: RowLog, rows: Rows, thumbnails: BytesFile): PhotoIndex {
    return new PhotoIndex(log, rows, thumbnails);
  }

  get header(): LogHeader {
    return this.#log.header;
  }

  /** Adds all, or nothing if there is no room, and throws. What was added is on the disk. */
  add(entries: readonly NewEntry[]): void {
    const begin = this.#thumbnails.size;
    let end = begin;
    const logged: LoggedEntry[] = [];
    try {
      for (const entry of entries) {
        if (entry.kind !== 'picture') {
          logged.push(entry);
          continue;
        }
        const { thumbnail: bytes, ...picture } = entry;
        this.#thumbnails.write(bytes, end);
        logged.push({ ...picture, thumbnail: [end, bytes.length] });
        end += bytes.length;
      }
      if (end > begin) this.#thumbnails.flush();
      this.#log.append(logged);
    } catch (error) {
      this.#thumbnails.truncate(begin);
      throw error;
    }
    for (const entry of logged) this.rows.take(entry);
    this.changes++;
  }

  /** A picture's thumbnail, encoded; undefined for an unknown id. */
  thumbnail(id: string): Uint8Array<ArrayBuffer> | undefined {
    const [at, length] = this.rows.withId(id)?.facts.thumbnail ?? [];
    if (at === undefined || length === undefined) return undefined;
    const bytes = new Uint8Array(length);
    return this.#thumbnails.read(bytes, at) === length ? bytes : undefined;
  }

  close(): void {
    this.#log.close();
    this.#thumbnails.close();
  }
}

async function read(folder: BytesFolder, number: number) {
  const file = await folder.open(rowsName(number));
  let rows: Rows | undefined;
  let dead = 0;
  const log = RowLog.read(file, ({ dimensions }) => {
    const all = new Rows(dimensions);
    rows = all;
    return (entry) => {
      if (entry.kind === 'gone' || all.withPath(entry.path) || all.broken.has(entry.path)) dead++;
      all.take(entry);
    };
  });
  if (log === undefined || rows === undefined) {
    file.close();
    return undefined;
  }
  const thumbnails = await folder.open(thumbnailsName(number));
  return { index: PhotoIndex.of(log, rows, thumbnails), dead };
}

async function empty(folder: BytesFolder, number: number, header: LogHeader): Promise<PhotoIndex> {
  const log = RowLog.begin(await folder.open(rowsName(number)), header);
  const thumbnails = await folder.open(thumbnailsName(number));
  thumbnails.truncate(0);
  return PhotoIndex.of(log, new Rows(header.dimensions), thumbnails);
}

async function writtenAnew(folder: BytesFolder, number: number, old: PhotoIndex): Promise<PhotoIndex> {
  const next = number + 1;
  const index = await empty(folder, next, old.header);
  try {
    let some: NewEntry[] = [...old.rows.broken.values()];
    for (const row of old.rows.all()) {
      const thumbnail = old.thumbnail(row.facts.id) ?? new Uint8Array();
      some.push({
        ...{ kind: 'picture', ...row.facts, thumbnail },
        embedding: old.rows.embedding(row),
      });
      if (some.length < entriesAtOnce) continue;
      index.add(some);
      some = [];
    }
    index.add(some);
    await setCurrent(folder, next);
  } catch {
    index.close();
    await removeOthers(folder, number);
    return old;
  }
  old.close();
  await removeOthers(folder, next);
  return index;
}

async function currentNumber(folder: BytesFolder): Promise<number> {
  const file = await folder.open(currentName);
  const bytes = new Uint8Array(8);
  const length = file.read(bytes, 0);
  file.close();
  const [number = 0, complement] = new Uint32Array(bytes.buffer);
  if (length === 8 && complement === ~number >>> 0) return number;
  // It was being written when the machine stopped: of the old index and the new one, the old one is whole.
  const numbers = (await folder.names()).map((name) => Number(/^rows-(\d+)$/.exec(name)?.[1] ?? Infinity));
  const least = Math.min(...numbers);
  return Number.isFinite(least) ? least : 0;
}

async function setCurrent(folder: BytesFolder, number: number): Promise<void> {
  const file = await folder.open(currentName);
  file.write(new Uint8Array(Uint32Array.of(number, ~number).buffer), 0);
  file.flush();
  file.close();
}

async function removeOthers(folder: BytesFolder, number: number): Promise<void> {
  const kept = [currentName, rowsName(number), thumbnailsName(number)];
  for (const name of await folder.names()) if (!kept.includes(name)) await folder.remove(name);
}
