/** Changes to an index that are gathered, encoded and committed together. */

import { randomUUID } from 'node:crypto';
import type { Clip } from '../clip/index.ts';
import { normalizeRows } from '../core/index.ts';
import type { FoundPicture, ReadPicture, Unreadable } from '../pictures/index.ts';
import type { BrokenPicture, EmbeddedPicture, Facts, Picture, VectorStore } from '../store/index.ts';
import type { KnownPictures } from './known.ts';
import type { UpdateSummary } from './update.ts';

/** A found picture, and what the index has of it. */
export interface Candidate {
  readonly picture: FoundPicture;
  /** The picture that the index has under this path. */
  readonly earlier: Picture | undefined;
  /** Whether the index has the path among the broken ones. */
  readonly wasBroken: boolean;
  /** The id for a new one. */
  readonly id: string;
  /** Hashes of contents that the index has already: of this picture, or of ones of this size that are gone. */
  readonly known: readonly string[];
}

/** A picture that is to be encoded. */
interface Waiting {
  readonly facts: Omit<Picture, 'norm'>;
  readonly isNew: boolean;
  readonly pixels: Float32Array;
}

/** Pictures or milliseconds after which what has been gathered is committed. */
const picturesPerCommit = 256;
const millisecondsPerCommit = 5_000;

export class Changes {
  readonly #store: VectorStore;
  /** Pictures that are gone, by hash, until another with their contents is found. */
  readonly #gone: Map<string, Picture[]>;
  readonly #idsOf: ((paths: readonly string[]) => Promise<ReadonlyMap<string, string>>) | undefined;
  #waiting: Waiting[] = [];
  #add: EmbeddedPicture[] = [];
  #replace: EmbeddedPicture[] = [];
  #move: Facts[] = [];
  #remove: string[] = [];
  #addBroken: BrokenPicture[] = [];
  #mended: string[] = [];
  #committed = performance.now();
  #encodingBegan = 0;
  /** Pictures that have been dealt with. */
  done = 0;
  readonly #counts = {
    ...{ added: 0, changed: 0, renamed: 0, removed: 0, unchanged: 0, broken: 0 },
    ...{ encoded: 0, encodingSeconds: 0 },
  };

  constructor(
    store: VectorStore,
    gone: Map<string, Picture[]>,
    idsOf?: (paths: readonly string[]) => Promise<ReadonlyMap<string, string>>,
  ) {
    this.#store = store;
    this.#gone = gone;
    this.#idsOf = idsOf;
  }

  /** How many pictures are to be encoded. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get summary(): UpdateSummary {
    return this.#counts;
  }

  /** What the index has of found pictures. */
  async lookUp(found: readonly FoundPicture[], known: KnownPictures): Promise<Candidate[]> {
    const changed = found.filter(({ path }) => known.isKnown(path)).map(({ path }) => path);
    const earlier = new Map(
      (await this.#store.find('path', changed)).map((picture) => [picture.path, picture]),
    );
    const ids = await this.#idsOf?.(found.map(({ path }) => path));
    const goneBySize = Map.groupBy([...this.#gone.values()].flat(), ({ size }) => size);
    return found.map((picture) => {
      const present = earlier.get(picture.path);
      const hashes = (goneBySize.get(picture.size) ?? []).map(({ hash }) => hash);
      return {
        picture,
        earlier: present,
        wasBroken: known.isBroken(picture.path),
        id: ids?.get(picture.path) ?? newId(),
        known: present ? [present.hash] : hashes,
      };
    });
  }

  /** Notes what became of a picture. */
  async take({ wanted, read }: { readonly wanted: Candidate; readonly read: ReadPicture }): Promise<void> {
    const { picture, earlier, wasBroken, id } = wanted;
    const { path, folder } = picture;
    this.done += 1;
    if ('reason' in read) {
      this.#addBroken.push({ path, size: picture.size, modified: picture.modified, reason: read.reason });
      this.#counts.broken += 1;
      if (earlier) this.#remove.push(earlier.id);
      return;
    }
    if (wasBroken) this.#mended.push(path);
    const { hash, size, modified, pixels } = read;
    const facts = { id: earlier?.id ?? id, path, folder, size, modified, hash };
    if (pixels) this.#waiting.push({ facts, isNew: earlier === undefined, pixels });
    else if (earlier) {
      this.#move.push({ id: earlier.id, path, folder, size, modified });
      this.#counts.unchanged += 1;
    } else await this.#reuse(facts);
  }

  /** Encodes what waits for it. */
  async encode(clip: Clip): Promise<void> {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    if (this.#counts.encoded === 0) this.#encodingBegan = performance.now();
    this.#waiting = [];
    const size = waiting[0]!.pixels.length;
    const pixels = new Float32Array(waiting.length * size);
    waiting.forEach((item, at) => {
      pixels.set(item.pixels, at * size);
    });
    const { data, shape } = await clip.encodePixels(pixels);
    const dimensions = shape[1]!;
    const finite = (vector: Float32Array) =>
      vector.every(Number.isFinite) && vector.some((value) => value !== 0);
    waiting.forEach(({ facts, isNew }, at) => {
      const vector = data.slice(at * dimensions, (at + 1) * dimensions);
      if (!finite(vector)) {
        const { path, size: bytes, modified } = facts;
        const reason = 'expected an embedding of finite numbers, found others: the model cannot take it';
        this.#addBroken.push({ path, size: bytes, modified, reason });
        this.#counts.broken += 1;
        if (!isNew) this.#remove.push(facts.id);
        return;
      }
      const norm = Math.hypot(...vector);
      normalizeRows(vector, dimensions);
      (isNew ? this.#add : this.#replace).push({ ...facts, norm, vector });
    });
    this.#counts.encoded += waiting.length;
    this.#counts.encodingSeconds = (performance.now() - this.#encodingBegan) / 1000;
  }

  /** Commits if enough has been gathered, or long enough ago; says whether it did. */
  async commitIfDue(): Promise<boolean> {
    const isDue =
      this.#add.length + this.#replace.length + this.#move.length >= picturesPerCommit ||
      performance.now() - this.#committed > millisecondsPerCommit;
    if (isDue) await this.commit();
    return isDue;
  }

  /** What is new comes before what goes, so that at no moment less is there than before. */
  async commit(): Promise<void> {
    const { added, changed } = this.#counts;
    await this.#store.add(this.#add);
    this.#counts.added = added + this.#add.length;
    this.#add = [];
    await this.#store.replace(this.#replace);
    this.#counts.changed = changed + this.#replace.length;
    this.#replace = [];
    await this.#store.move(this.#move);
    this.#move = [];
    await this.#store.remove(this.#remove);
    this.#remove = [];
    await this.#store.addBroken(this.#addBroken);
    this.#addBroken = [];
    await this.#store.removeBroken(this.#mended);
    this.#mended = [];
    this.#committed = performance.now();
  }

  /** Takes away what is gone, and notes what could not be looked into. */
  async finish(goneBroken: readonly string[], unreadable: Iterable<Unreadable>): Promise<void> {
    const gone = [...this.#gone.values()].flat();
    this.#remove.push(...gone.map(({ id }) => id));
    this.#counts.removed += gone.length;
    this.#mended.push(...goneBroken);
    await this.commit();
    this.#addBroken = Array.from(unreadable, ({ path, reason }) => ({ path, size: 0, modified: 0, reason }));
    this.#counts.broken += this.#addBroken.length;
    await this.commit();
  }

  /** A new picture with contents that the index has: the one that had them has been renamed, or there are now several. */
  async #reuse(facts: Omit<Picture, 'norm'>): Promise<void> {
    const gone = this.#gone.get(facts.hash) ?? [];
    const [former] = gone;
    if (former) {
      this.#gone.set(facts.hash, gone.slice(1));
      const { path, folder, size, modified } = facts;
      this.#move.push({ id: former.id, path, folder, size, modified });
      this.#counts.renamed += 1;
      return;
    }
    const [same] = await this.#store.find('hash', [facts.hash]);
    this.#add.push({ ...facts, norm: same!.norm, vector: same!.vector });
  }
}

/** 64 random bits. */
export function newId(): string {
  return randomUUID().replaceAll('-', '').slice(0, 16);
}
