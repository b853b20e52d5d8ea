/** What an index knows of its pictures, in little memory: enough to tell which have changed and which are gone. */

import { hash } from 'node:crypto';
import type { VectorStore } from '../store/index.ts';

type Facts = { readonly path: string; readonly size: number; readonly modified: number };

/** About 60 bytes a picture. */
export class KnownPictures {
  /** By path, as 52 bits of its SHA-256; where the facts are. */
  readonly #places = new Map<number, number>();
  #facts = new Float64Array(2 * 1024);
  /** 1: seen, 2: broken, 4: claimed. */
  #marks = new Uint8Array(1024);

  static async of(store: VectorStore): Promise<KnownPictures> {
    const known = new KnownPictures();
    for await (const batch of store.broken()) for (const picture of batch) known.#add(picture, 2);
    // A picture that was mended just before the process ended may stand in both.
    for await (const batch of store.pictures()) for (const picture of batch) known.#add(picture, 0);
    return known;
  }

  /** Whether a picture is there with these facts, broken or not; it counts as seen from now on. */
  see({ path, size, modified }: Facts): 'new' | 'changed' | 'same' {
    const place = this.#places.get(keyOf(path));
    if (place === undefined) return 'new';
    this.#marks[place]! |= 1;
    const isSame = this.#facts[2 * place] === size && this.#facts[2 * place + 1] === modified;
    return isSame ? 'same' : 'changed';
  }

  /** Whether the path is claimed for the first time. */
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

  #add({ path, size, modified }: Facts, mark: number): void {
    const key = keyOf(path);
    const place = this.#places.get(key) ?? this.#places.size;
    this.#places.set(key, place);
    if (place >= this.#marks.length) {
      this.#marks = grown(this.#marks, Uint8Array);
      this.#facts = grown(this.#facts, Float64Array);
    }
    this.#facts.set([size, modified], 2 * place);
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
