/** Gathers changes to an index, encodes them, and commits them together. */

import type { Clip } from '../clip/index.ts';
import { normalizeRows } from '../core/index.ts';
import type { FoundImage, PhotoFacts, ReadImage, Unreadable } from '../pictures/index.ts';
import {
  type BrokenImage,
  type Facts,
  type IndexedImage,
  type Metadata,
  type MissingImage,
  pictureOf,
  type StoredImage,
  type VectorStore,
} from '../store/index.ts';
import type { KnownImages } from './known.ts';
import type { Loss } from './losses.ts';
import type { MissingImages } from './missing.ts';
import { newIds } from './new-ids.ts';
import { isDescribed, photoOf, storedPhotoFacts } from './photo-columns.ts';
import type { UpdateSummary } from './update.ts';

/** A found image, and what the index knows about it. */
interface Candidate {
  readonly picture: FoundImage;
  /** The image that the index has under this path. */
  readonly earlier: IndexedImage | undefined;
  /** The image that had this path until it went missing. */
  readonly former: MissingImage | undefined;
  /** Whether the index has the path among the broken ones. */
  readonly wasBroken: boolean;
  /** The id for a new one. */
  readonly id: string;
  /** Hashes of contents that the index has: of this image, or of missing ones of this size. */
  readonly known: readonly string[];
  /** Whether only the contents are known, and no facts about the file. */
  readonly isUndescribed: boolean;
}

/** An image to encode. */
interface Waiting {
  readonly facts: Omit<IndexedImage, 'norm'>;
  /** The index's image with this id. */
  readonly earlier: IndexedImage | undefined;
  readonly former: MissingImage | undefined;
  readonly photo: PhotoFacts | undefined;
  readonly pixels: Float32Array;
}

/** Images or milliseconds after which gathered changes are committed. */
const picturesPerCommit = 256;
const millisecondsPerCommit = 5_000;

export class Changes {
  readonly #store: VectorStore;
  /** Images that are gone, by hash, until one with the same contents is found. */
  readonly #gone: Map<string, IndexedImage[]>;
  readonly #missing: MissingImages;
  readonly #idsOf: ((paths: readonly string[]) => Promise<ReadonlyMap<string, string>>) | undefined;
  /** Images of the index that can no longer be read. Their number decides what happens to them. */
  readonly #unreadable: { readonly picture: IndexedImage; readonly broken: BrokenImage }[] = [];
  #waiting: Waiting[] = [];
  #add: StoredImage[] = [];
  #replace: StoredImage[] = [];
  #move: Facts[] = [];
  /** Images with new facts about their files. */
  #describe: Facts[] = [];
  #returned: string[] = [];
  #addBroken: BrokenImage[] = [];
  #mended: string[] = [];
  #committed = performance.now();
  #encodingBegan = 0;
  /** Images that are done. */
  done = 0;
  readonly #counts = {
    ...{ added: 0, changed: 0, renamed: 0, removed: 0, kept: 0, unchanged: 0, broken: 0 },
    ...{ encoded: 0, encodingSeconds: 0 },
  };

  constructor(
    store: VectorStore,
    gone: Map<string, IndexedImage[]>,
    missing: MissingImages,
    idsOf?: (paths: readonly string[]) => Promise<ReadonlyMap<string, string>>,
  ) {
    this.#store = store;
    this.#gone = gone;
    this.#missing = missing;
    this.#idsOf = idsOf;
  }

  /** How many images are to be encoded. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get summary(): UpdateSummary {
    return this.#counts;
  }

  /** Looks up what the index knows about found images. */
  async lookUp(found: readonly FoundImage[], known: KnownImages): Promise<Candidate[]> {
    const changed = found.filter(({ path }) => known.isKnown(path)).map(({ path }) => path);
    const earlier = new Map(
      (await this.#store.find('path', changed)).map((picture) => [picture.path, picture]),
    );
    const paths = found.map(({ path }) => path);
    const former = await this.#missing.at(paths);
    const unknown = paths.filter((path) => !earlier.has(path));
    const ids = await (this.#idsOf?.(unknown) ?? newIds([this.#store], unknown));
    const goneBySize = Map.groupBy([...this.#gone.values()].flat(), ({ size }) => size);
    return found.map((picture) => {
      const present = earlier.get(picture.path);
      const hashes = (goneBySize.get(picture.size) ?? []).map(({ hash }) => hash);
      return {
        picture,
        earlier: present,
        former: present ? undefined : former.get(picture.path),
        wasBroken: known.isBroken(picture.path),
        id: present?.id ?? ids.get(picture.path)!,
        known: present ? [present.hash] : hashes,
        isUndescribed: present !== undefined && !isDescribed(present.metadata),
      };
    });
  }

  /** Notes the outcome for an image. */
  async take(
    { wanted, read }: { readonly wanted: Candidate; readonly read: ReadImage },
    known: KnownImages,
  ): Promise<void> {
    const { picture, earlier, wasBroken, id } = wanted;
    const { path, folder } = picture;
    this.done += 1;
    if ('reason' in read) {
      this.#isBroken({ ...picture, reason: read.reason }, earlier);
      return;
    }
    if (wasBroken) this.#mended.push(path);
    const { pixels, photo, ...found } = read;
    const facts = { id: earlier?.id ?? id, path, folder, ...found };
    if (pixels) {
      const isNew = earlier === undefined;
      const former = isNew ? (wanted.former ?? (await this.#missing.withHash(found.hash, known))) : undefined;
      this.#waiting.push({ facts, earlier, former, photo, pixels });
    } else if (earlier) {
      this.#counts.unchanged += 1;
      if (photo) this.#describe.push({ ...placeOf(facts), metadata: storedPhotoFacts(photo) });
      else if (!isSamePlace(earlier, facts)) this.#move.push(placeOf(facts));
    } else await this.#reuse(facts, wanted.former);
  }

  /** Encodes the waiting images. */
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
    waiting.forEach(({ facts, earlier, former, photo }, at) => {
      const vector = data.slice(at * dimensions, (at + 1) * dimensions);
      if (!finite(vector)) {
        const reason = 'expected an embedding of finite numbers, found others: the model cannot take it';
        this.#isBroken({ ...facts, reason }, earlier);
        return;
      }
      const norm = Math.hypot(...vector);
      normalizeRows(vector, dimensions);
      const described = photo && storedPhotoFacts(photo);
      if (earlier) this.#replace.push({ ...facts, norm, vector, metadata: described });
      else this.#add.push({ ...facts, ...returning(former, described), norm, vector });
      if (former) this.#returned.push(former.id);
    });
    this.#counts.encoded += waiting.length;
    this.#counts.encodingSeconds = (performance.now() - this.#encodingBegan) / 1000;
  }

  /** Commits if enough is gathered or enough time has passed. Returns whether it did. */
  async commitIfDue(): Promise<boolean> {
    const isDue =
      this.#add.length + this.#replace.length + this.#move.length + this.#describe.length >=
        picturesPerCommit || performance.now() - this.#committed > millisecondsPerCommit;
    if (isDue) await this.commit();
    return isDue;
  }

  /** Adds before it removes, so that at no moment an image is lost. */
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
    await this.#store.move(this.#describe);
    this.#describe = [];
    await this.#store.removeMissing(this.#returned);
    this.#returned = [];
    await this.#store.addBroken(this.#addBroken);
    this.#addBroken = [];
    await this.#store.removeBroken(this.#mended);
    this.#mended = [];
    this.#committed = performance.now();
  }

  /** Images of the index that have not been found, and those that could not be read. */
  losses(): Loss[] {
    const unreadable = this.#unreadable.map(({ picture: { path }, broken: { reason } }) => ({
      path,
      reason,
    }));
    return [...[...this.#gone.values()].flat(), ...unreadable];
  }

  /** Takes out what is lost and not kept, and notes what could not be read. */
  async finish(
    kept: ReadonlySet<string>,
    goneBroken: readonly string[],
    unreadable: Iterable<Unreadable>,
  ): Promise<void> {
    const isOut = ({ path }: { readonly path: string }) => !kept.has(path);
    const gone = [...this.#gone.values()].flat().filter(isOut);
    const broken = this.#unreadable.filter(({ picture }) => isOut(picture));
    await this.#missing.take([...gone, ...broken.map(({ picture }) => picture)].map(({ id }) => id));
    this.#counts.removed += gone.length;
    this.#counts.kept += kept.size;
    this.#mended.push(...goneBroken);
    await this.commit();
    this.#addBroken = broken.map((item) => item.broken);
    this.#counts.broken += broken.length;
    await this.commit();
    this.#addBroken = Array.from(unreadable, ({ path, reason }) => ({ path, size: 0, modified: 0, reason }));
    this.#counts.broken += this.#addBroken.length;
    await this.commit();
  }

  #isBroken(picture: BrokenImage, earlier: IndexedImage | undefined): void {
    const { path, size, modified, statusChanged, reason } = picture;
    const broken = { path, size, modified, reason, statusChanged };
    // Without its vector, because there may be many.
    if (earlier) this.#unreadable.push({ picture: pictureOf(earlier), broken });
    else {
      this.#addBroken.push(broken);
      this.#counts.broken += 1;
    }
  }

  /** A new image whose contents the index has: either the old one was renamed, or there are several copies now. */
  async #reuse(facts: Omit<IndexedImage, 'norm'>, former: MissingImage | undefined): Promise<void> {
    const gone = this.#gone.get(facts.hash) ?? [];
    const [renamed] = former?.hash === facts.hash ? [] : gone;
    if (renamed) {
      this.#gone.set(facts.hash, gone.slice(1));
      this.#move.push({ ...placeOf(facts), id: renamed.id });
      this.#counts.renamed += 1;
      return;
    }
    const [same] = await this.#store.find('hash', [facts.hash]);
    const { norm, vector, metadata } = same!;
    if (former) this.#returned.push(former.id);
    this.#add.push({ ...facts, ...returning(former, photoOf(metadata)), norm, vector });
  }
}

/** What a missing image keeps. */
function returning(
  former: MissingImage | undefined,
  described: Metadata | undefined,
): Pick<StoredImage, 'metadata'> & { id?: string } {
  return { ...(former && { id: former.id }), metadata: { ...former?.metadata, ...described } };
}

/** Only the place of an image. */
export function placeOf({ id, path, folder, size, modified, statusChanged }: Facts): Facts {
  return { id, path, folder, size, modified, statusChanged };
}

function isSamePlace(earlier: IndexedImage, now: Omit<IndexedImage, 'norm'>): boolean {
  const { size, modified, statusChanged } = earlier;
  return size === now.size && modified === now.modified && statusChanged === now.statusChanged;
}
