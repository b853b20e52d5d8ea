/** What an index knows about its images, in little memory: enough to tell which have changed and which are gone. */

import { hash } from 'node:crypto';
import type { IndexedImage, VectorStore } from '../store/index.ts';
import type { Comparison } from './choices.ts';

type Facts = Pick<IndexedImage, 'path' | 'size' | 'modified' | 'statusChanged'>;

/** Takes about 70 bytes for each image. */
export class KnownImages {
  /** Position of the facts, by 52 bits of the path's SHA-256. */
  readonly #places = new Map<number, number>();
  /** Size, modified, statusChanged: NaN where it is not known. */
  #facts = new Float64Array(3 * 1024);
  /** 1: seen, 2: broken, 4: claimed. */
  #marks = new Uint8Array(1024);
  readonly #comparison: Comparison;
  /** Paths that are both among the images and the broken ones: they were repaired just before a process ended. */
  readonly mended: string[] = [];
  /** Images with the same path as another: an earlier version made several of a shard's members with one name. */
  readonly doubled: Pick<IndexedImage, 'id' | 'path'>[] = [];

  private constructor(comparison: Comparison) {
    this.#comparison = comparison;
  }

  static async of(store: VectorStore, comparison: Comparison = 'times'): Promise<KnownImages> {
    const known = new KnownImages(comparison);
    for await (const batch of store.broken()) for (const picture of batch) known.#add(picture, 2);
    for await (const batch of store.images()) {
      for (const picture of batch) {
        const { id, path } = picture;
        if (known.isBroken(path)) known.mended.push(path);
        const isDoubled = known.isKnown(path) && !known.isBroken(path);
        if (isDoubled) known.doubled.push({ id, path });
        // Only the contents tell which of them is there now.
        known.#add(isDoubled ? { path, size: -1, modified: -1 } : picture, 0);
      }
    }
    return known;
  }

  /** Whether an image with these facts is known, broken or not. It counts as seen from now on. */
  see({ path, size, modified, statusChanged }: Facts): 'new' | 'changed' | 'same' {
    const place = this.#places.get(keyOf(path));
    if (place === undefined) return 'new';
    this.#marks[place]! |= 1;
    if (this.#comparison === 'contents') return 'changed';
    const at = 3 * place;
    if (this.#facts[at] !== size || this.#facts[at + 1] !== modified) return 'changed';
    if (statusChanged === undefined || this.#comparison === 'modified') return 'same';
    // An index of an earlier version does not know: the file counts as the one that was read, unless that was broken.
    if (Number.isNaN(this.#facts[at + 2]) && !this.isBroken(path)) this.#facts[at + 2] = statusChanged;
    else if (this.#facts[at + 2] !== statusChanged) return 'changed';
    return 'same';
  }

  /** The ctime of an image's file, as known before or as seen now. */
  statusOf(path: string): number | undefined {
    const place = this.#places.get(keyOf(path));
    const status = place === undefined ? Number.NaN : this.#facts[3 * place + 2]!;
    return Number.isNaN(status) ? undefined : status;
  }

  /** Claims a path. Returns whether this is the first claim. */
  claim(path: string): boolean {
    if (!this.isKnown(path)) this.#add({ path, size: -1, modified: -1 }, 0);
    const place = this.#places.get(keyOf(path))!;
    const isFirst = (this.#marks[place]! & 4) === 0;
    this.#marks[place]! |= 4;
    return isFirst;
  }

  isKnown(path: string): boolean {
    return this.#places.has(keyOf(path));
  }

  wasSeen(path: string): boolean {
    const place = this.#places.get(keyOf(path));
    return place !== undefined && (this.#marks[place]! & 1) === 1;
  }

  isBroken(path: string): boolean {
    const place = this.#places.get(keyOf(path));
    return place !== undefined && (this.#marks[place]! & 2) === 2;
  }

  #add({ path, size, modified, statusChanged = Number.NaN }: Facts, mark: number): void {
    const key = keyOf(path);
    const place = this.#places.get(key) ?? this.#places.size;
    this.#places.set(key, place);
    if (place >= this.#marks.length) {
      this.#marks = grown(this.#marks, Uint8Array);
      this.#facts = grown(this.#facts, Float64Array);
    }
    this.#facts.set([size, modified, statusChanged], 3 * place);
    this.#marks[place] = mark;
  }
}

function keyOf(path: string): number {
  return Number.parseInt(hash('sha256', path).slice(0, 13), 16);
}

function grown<T extends Uint8Array | Float64Array>(values: T, Kind: new (length: number) => T): T {
  const larger = new Kind(2 * values.length);
  larger.set(values);
  return larger;
}
