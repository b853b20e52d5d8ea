/** Gathers changes to an index, encodes them, and commits them together. */

import type { Clip } from '../clip/index.ts';
import { chunks } from '../core/index.ts';
import type { Scratch } from '../files/index.ts';
import type { FoundImage, PhotoFacts, ReadImage, Unreadable } from '../pictures/index.ts';
import {
  type BrokenImage,
  type Facts,
  type IndexedImage,
  type KnownImage,
  type Metadata,
  type MissingImage,
  pictureOf,
  type StoredImage,
  type VectorStore,
} from '../store/index.ts';
import { embeddingsOf, notFinite } from './embedding.ts';
import type { GoneImages } from './gone.ts';
import type { KnownImages } from './known.ts';
import type { Loss } from './losses.ts';
import type { MissingImages } from './missing.ts';
import { idOf, newIds } from './new-ids.ts';
import { isDescribed, photoOf, storedPhotoFacts } from './photo-columns.ts';
import { LongList } from './records/list.ts';
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
  /** Hashes of contents that the index has: of this image, or of gone ones of this size. */
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

/** What changes are made of. */
interface Parts {
  readonly store: VectorStore;
  readonly known: KnownImages;
  readonly gone: GoneImages;
  readonly missing: MissingImages;
  readonly scratch: Scratch;
  /** Images whose facts may be held in memory. */
  readonly held?: number;
  readonly idsOf?: (paths: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

/** Images or milliseconds after which gathered changes are committed. */
const picturesPerCommit = 256;
const millisecondsPerCommit = 5_000;
const notesPerCommit = 1000;

export class Changes {
  readonly #store: VectorStore;
  readonly #known: KnownImages;
  readonly #gone: GoneImages;
  readonly #missing: MissingImages;
  readonly #idsOf: Parts['idsOf'];
  /** Images of the index that can no longer be read. Their number decides what happens to them. */
  readonly #unreadable: LongList<{ readonly picture: IndexedImage; readonly broken: BrokenImage }>;
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

  constructor({ store, known, gone, missing, scratch, held, idsOf }: Parts) {
    this.#store = store;
    this.#known = known;
    this.#gone = gone;
    this.#missing = missing;
    this.#idsOf = idsOf;
    this.#unreadable = new LongList(scratch, held);
  }

  /** How many images are to be encoded. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get summary(): UpdateSummary {
    return this.#counts;
  }

  /** Looks up what the index knows about found images. */
  async lookUp(found: readonly FoundImage[]): Promise<Candidate[]> {
    const changed = found.filter(({ path }) => this.#known.isKnown(path)).map(({ path }) => path);
    const earlier = await imagesAt(this.#store, changed);
    const paths = found.map(({ path }) => path);
    const former = await this.#missing.at(paths);
    const unknown = paths.filter((path) => !earlier.has(path));
    const ids = await (this.#idsOf?.(unknown) ?? newIds([this.#store], unknown));
    await this.#missing.tidy();
    return found.map((picture) => {
      const present = earlier.get(picture.path);
      return {
        picture,
        earlier: present,
        former: present ? undefined : former.get(picture.path),
        wasBroken: this.#known.has(picture.path, 'broken'),
        id: present?.id ?? ids.get(picture.path)!,
        known: present ? [present.hash] : this.#gone.hashesOf(picture.size),
        isUndescribed: present !== undefined && !isDescribed(present.metadata),
      };
    });
  }

  /** Notes the outcome for an image. */
  async take({ wanted, read }: { readonly wanted: Candidate; readonly read: ReadImage }): Promise<void> {
    const { picture, earlier, wasBroken } = wanted;
    const { path, folder, offset: memberOffset } = picture;
    this.done += 1;
    if ('reason' in read) {
      this.#isBroken({ ...picture, reason: read.reason }, earlier);
      return;
    }
    if (wasBroken) this.#mended.push(path);
    const { pixels, photo, ...found } = read;
    const facts = { id: earlier?.id ?? wanted.id, path, folder, memberOffset, ...found };
    if (!earlier) await this.#takeNew(facts, wanted.former, photo, pixels);
    else if (pixels) this.#waiting.push({ facts, earlier, former: undefined, photo, pixels });
    else {
      this.#counts.unchanged += 1;
      if (photo) this.#describe.push({ ...placeOf(facts), metadata: storedPhotoFacts(photo) });
      else if (!isSamePlace(earlier, facts)) this.#move.push(placeOf(facts));
    }
  }

  /** Encodes the waiting images. */
  async encode(clip: Clip): Promise<void> {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    if (this.#counts.encoded === 0) this.#encodingBegan = performance.now();
    this.#waiting = [];
    const embeddings = await embeddingsOf(
      clip,
      waiting.map(({ pixels }) => pixels),
    );
    waiting.forEach(({ facts, earlier, former, photo }, at) => {
      const embedding = embeddings[at];
      if (embedding === undefined) {
        this.#isBroken({ ...facts, reason: notFinite }, earlier);
        return;
      }
      const described = photo && storedPhotoFacts(photo);
      if (earlier) this.#replace.push({ ...facts, ...embedding, metadata: described });
      else this.#add.push({ ...facts, ...returning(former, described), ...embedding });
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
    await this.#store.commit();
    this.#committed = performance.now();
  }

  /** Images of the index that have not been found, and those that could not be read. */
  *losses(): Generator<Loss, void, void> {
    yield* this.#gone;
    for (const { picture, broken } of this.#unreadable) yield { path: picture.path, reason: broken.reason };
  }

  /**
   * Takes out what is lost and not kept, and notes what could not be read.
   * @param isOver whether the note of a broken image is over
   */
  async finish(
    isKept: (path: string) => boolean,
    isOver: (path: string) => boolean,
    unreadable: Iterable<Unreadable>,
  ): Promise<void> {
    await this.#missing.take(this.#outgoing(isKept));
    await this.commit();
    for await (const batch of this.#store.broken()) {
      await this.#store.removeBroken(batch.map(({ path }) => path).filter(isOver));
    }
    await this.#noteBroken(this.#brokenOut(isKept));
    await this.#noteBroken(unreadable);
  }

  close(): void {
    this.#unreadable.close();
  }

  /** Ids of the images to take out. */
  *#outgoing(isKept: (path: string) => boolean): Generator<string, void, void> {
    for (const { id, path } of this.#gone) {
      if (isKept(path)) this.#counts.kept += 1;
      else {
        this.#counts.removed += 1;
        yield id;
      }
    }
    for (const { picture } of this.#unreadable) {
      if (isKept(picture.path)) this.#counts.kept += 1;
      else yield picture.id;
    }
  }

  *#brokenOut(isKept: (path: string) => boolean): Generator<BrokenImage, void, void> {
    for (const { picture, broken } of this.#unreadable) if (!isKept(picture.path)) yield broken;
  }

  async #noteBroken(notes: Iterable<Unreadable | BrokenImage>): Promise<void> {
    for await (const some of chunks(notes, notesPerCommit)) {
      this.#addBroken = some.map((note) => {
        const { path, reason } = note;
        return 'size' in note ? note : { path, size: 0, modified: 0, reason };
      });
      this.#counts.broken += some.length;
      await this.commit();
    }
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

  /** A new image: a gone one that was renamed, a missing one that comes back, or a copy of what the index has. */
  async #takeNew(
    facts: Omit<IndexedImage, 'norm'>,
    atPath: MissingImage | undefined,
    photo: PhotoFacts | undefined,
    pixels: Float32Array | undefined,
  ): Promise<void> {
    const { path, hash } = facts;
    const renamed = atPath?.hash === hash ? undefined : await this.#gone.take(hash);
    if (renamed) {
      this.#move.push({ ...placeOf(facts), id: renamed.id });
      this.#counts.renamed += 1;
      return;
    }
    const isBack = atPath !== undefined && this.#missing.claim(atPath.id);
    const other = pixels && !isBack ? await this.#missing.withHash(hash, this.#known) : undefined;
    const former = isBack ? atPath : other;
    const isClaimed = (id: string) => this.#missing.isClaimed(id);
    const own = former || !isClaimed(facts.id) ? undefined : await newIds([this.#store], [path], isClaimed);
    const placed = { ...facts, id: own?.get(path) ?? facts.id };
    if (pixels) {
      this.#waiting.push({ facts: placed, earlier: undefined, former, photo, pixels });
      return;
    }
    const [same] = await this.#store.find('hash', [hash], 1);
    const { norm, vector, metadata } = same!;
    if (former) this.#returned.push(former.id);
    this.#add.push({ ...placed, ...returning(former, photoOf(metadata)), norm, vector });
  }
}

/** The index's images at paths, by path. An image that was never renamed has its path's id, which is quicker to find. */
async function imagesAt(store: VectorStore, paths: readonly string[]): Promise<Map<string, KnownImage>> {
  const wanted = new Set(paths);
  const byId = await store.find(
    'id',
    paths.map((path) => idOf(path)),
  );
  const found = new Map(
    byId.flatMap((picture) => (wanted.has(picture.path) ? [[picture.path, picture] as const] : [])),
  );
  const others = paths.filter((path) => !found.has(path));
  for (const picture of await store.find('path', others)) found.set(picture.path, picture);
  return found;
}

/** What a missing image keeps. */
function returning(
  former: MissingImage | undefined,
  described: Metadata | undefined,
): Pick<StoredImage, 'metadata'> & { id?: string } {
  return { ...(former && { id: former.id }), metadata: { ...former?.metadata, ...described } };
}

/** Only the place of an image. */
export function placeOf({ id, path, folder, size, modified, statusChanged, memberOffset }: Facts): Facts {
  return { id, path, folder, size, modified, statusChanged, memberOffset };
}

function isSamePlace(earlier: IndexedImage, now: Omit<IndexedImage, 'norm'>): boolean {
  const { size, modified, statusChanged, memberOffset } = earlier;
  const isSameFile = size === now.size && modified === now.modified && statusChanged === now.statusChanged;
  return isSameFile && memberOffset === now.memberOffset;
}
