/** What an index knows about its images: enough to tell which have changed and which are gone, however many there are. */

import { Scratch } from '../files/index.ts';
import type { IndexedImage, VectorStore } from '../store/index.ts';
import type { Comparison } from './choices.ts';
import { bytesPerRecord, type Entry } from './records/run.ts';
import { heldByDefault, RecordTable } from './records/table.ts';

type FileFacts = Pick<IndexedImage, 'path' | 'size' | 'modified' | 'statusChanged'>;

const marks = {
  seen: 1,
  /** There is a note that it is broken, and no image. */
  broken: 2,
  claimed: 4,
  /** Several images have this path: an earlier version made several of a shard's members with one name. */
  doubled: 8,
  /** There are an image and a note that it is broken: it was repaired just before a process ended. */
  mended: 16,
  gone: 32,
  /** Gone, but its contents were found elsewhere. */
  renamed: 64,
  /** Not found, but there: it was left out on purpose. */
  leftOut: 128,
  /** The one of several images that stays. */
  first: 256,
} as const;
export type Mark = keyof typeof marks;

export interface KnownOptions {
  readonly compare?: Comparison;
  readonly scratch?: Scratch;
  /** Images whose facts are held in memory. Those of more are on disk. */
  readonly held?: number;
  /** Told each image of the index, and each broken one. */
  readonly tell?: (path: string, kind: 'images' | 'broken') => void;
}

/** Takes about 50 bytes for each image that memory holds. Close it. */
export class KnownImages {
  readonly #comparison: Comparison;
  readonly #table: RecordTable;
  #hasDoubled = false;

  private constructor(scratch: Scratch, compare: Comparison, held: number) {
    this.#comparison = compare;
    this.#table = new RecordTable(scratch, held, (before, now) => this.#both(before, now));
  }

  static async of(store: VectorStore, options: KnownOptions = {}): Promise<KnownImages> {
    const { compare = 'times', scratch = await Scratch.in(), held = heldByDefault(), tell } = options;
    const known = new KnownImages(scratch, compare, held);
    const count = await store.count();
    // What is merged is on disk twice for a while.
    if (count > held) await scratch.expectRoom(2 * count * bytesPerRecord);
    try {
      for await (const batch of store.broken()) {
        for (const picture of batch) {
          tell?.(picture.path, 'broken');
          known.#table.put(picture.path, entryOf(picture, marks.broken));
        }
        await known.#table.tidy();
      }
      for await (const batch of store.images()) {
        for (const picture of batch) {
          tell?.(picture.path, 'images');
          known.#table.put(picture.path, entryOf(picture));
        }
        await known.#table.tidy();
      }
      await known.#table.settle();
      return known;
    } catch (error) {
      known.close();
      throw error;
    }
  }

  /** Whether an image with these facts is known, broken or not. It counts as seen from now on. */
  see({ path, size, modified, statusChanged }: FileFacts): 'new' | 'changed' | 'same' {
    const found = this.#table.find(path);
    if (found === undefined) return 'new';
    const isUnseen = (found.marks & marks.seen) === 0;
    found.marks |= marks.seen;
    // An index of an earlier version does not know: the file counts as the one that was read, unless that was broken.
    const isLearned =
      statusChanged !== undefined &&
      this.#comparison === 'times' &&
      Number.isNaN(found.statusChanged) &&
      (found.marks & marks.broken) === 0 &&
      found.size === size &&
      found.modified === modified;
    if (isLearned) found.statusChanged = statusChanged;
    if (isUnseen || isLearned) this.#table.update(found);
    if (this.#comparison === 'contents') return 'changed';
    if (found.size !== size || found.modified !== modified) return 'changed';
    if (statusChanged === undefined || this.#comparison === 'modified') return 'same';
    return found.statusChanged === statusChanged ? 'same' : 'changed';
  }

  /** The ctime of an image's file, as known before or as seen now. */
  statusOf(path: string): number | undefined {
    const { statusChanged = Number.NaN } = this.#table.find(path) ?? {};
    return Number.isNaN(statusChanged) ? undefined : statusChanged;
  }

  /** Claims a path, known or not. Returns whether this is the first claim. Call `tidy` after some thousand. */
  claim(path: string): boolean {
    if (this.isKnown(path)) return this.mark(path, 'claimed');
    this.#table.put(path, entryOf({ path, size: -1, modified: -1 }, marks.claimed));
    return true;
  }

  async tidy(): Promise<void> {
    await this.#table.tidy();
  }

  /** Marks a known path. Returns whether it had not been marked. */
  mark(path: string, mark: Mark): boolean {
    const found = this.#table.find(path);
    if (found === undefined || (found.marks & marks[mark]) !== 0) return false;
    found.marks |= marks[mark];
    this.#table.update(found);
    return true;
  }

  has(path: string, mark: Mark): boolean {
    return ((this.#table.find(path)?.marks ?? 0) & marks[mark]) !== 0;
  }

  isKnown(path: string): boolean {
    return this.#table.find(path) !== undefined;
  }

  /** The images that have another's path, without one of each path. */
  async *doubled(store: VectorStore): AsyncGenerator<readonly IndexedImage[], void, void> {
    if (!this.#hasDoubled) return;
    for await (const batch of store.images()) {
      yield batch.filter(({ path }) => this.has(path, 'doubled') && !this.mark(path, 'first'));
    }
  }

  close(): void {
    this.#table.close();
  }

  /** Notes of broken images come before the images. */
  #both(before: Entry, now: Entry): Entry {
    if ((before.marks & marks.broken) !== 0) return { ...now, marks: now.marks | marks.mended };
    this.#hasDoubled = true;
    // Only the contents tell which of them is there now.
    const unclear = { size: -1, modified: -1, statusChanged: Number.NaN };
    return { ...unclear, marks: before.marks | now.marks | marks.doubled };
  }
}

function entryOf({ size, modified, statusChanged = Number.NaN }: FileFacts, mark = 0): Entry {
  return { marks: mark, size, modified, statusChanged };
}
