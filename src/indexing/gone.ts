/** Images of an index that were not found. One whose contents are found elsewhere was renamed. */

import type { Scratch } from '../files/index.ts';
import { type IndexedImage, pictureOf, type VectorStore } from '../store/index.ts';
import type { KnownImages } from './known.ts';
import { LongList } from './records/list.ts';
import { RecordTable } from './records/table.ts';

/** Images that are held by their contents, unless the facts of fewer are held. The store is asked about others. */
const mostHeld = 65_536;
/** So many images with the same contents are looked at. */
const mostAlike = 1000;

export class GoneImages {
  readonly #store: VectorStore;
  readonly #known: KnownImages;
  readonly #all: LongList<IndexedImage>;
  readonly #limit: number;
  readonly #held = new Map<string, IndexedImage[]>();
  readonly #hashesBySize = new Map<number, string[]>();
  /** The contents of the images that are not held. */
  readonly #others: RecordTable;

  /** @param held images whose facts may be held in memory */
  constructor(store: VectorStore, known: KnownImages, scratch: Scratch, held = Number.POSITIVE_INFINITY) {
    this.#store = store;
    this.#known = known;
    this.#limit = Math.min(held, mostHeld);
    this.#all = new LongList(scratch, this.#limit);
    this.#others = new RecordTable(scratch, this.#limit);
  }

  /** Notes a known image as gone. Call `tidy` after some thousand. */
  add(picture: IndexedImage): void {
    const { path, hash, size } = picture;
    this.#known.mark(path, 'gone');
    this.#all.push(picture);
    if (this.#all.length > this.#limit) {
      this.#others.put(hash, { marks: 0, size: 0, modified: 0, statusChanged: 0 });
      return;
    }
    pushTo(this.#held, hash, picture);
    pushTo(this.#hashesBySize, size, hash);
  }

  async tidy(): Promise<void> {
    await this.#others.tidy();
  }

  /** Contents of gone images of a size. If very many are gone, it does not have all. */
  hashesOf(size: number): readonly string[] {
    return this.#hashesBySize.get(size) ?? [];
  }

  /** A gone image with these contents, which was renamed. Each is returned once. */
  async take(hash: string): Promise<IndexedImage | undefined> {
    const held = this.#held.get(hash)?.shift();
    if (held) {
      this.#known.mark(held.path, 'renamed');
      return held;
    }
    if (this.#others.find(hash) === undefined) return undefined;
    const alike = await this.#store.find('hash', [hash], mostAlike);
    const found = alike.find(
      ({ path }) => this.#known.has(path, 'gone') && this.#known.mark(path, 'renamed'),
    );
    return found && pictureOf(found);
  }

  /** Those that were not renamed. */
  *[Symbol.iterator](): Generator<IndexedImage, void, void> {
    for (const picture of this.#all) if (!this.#known.has(picture.path, 'renamed')) yield picture;
  }

  close(): void {
    this.#all.close();
    this.#others.close();
  }
}

function pushTo<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
