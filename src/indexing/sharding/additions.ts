/** Adds the images of one source to an index that other workers add to: looked up by their ids, never removed. */

import type { Clip } from '../../clip/index.ts';
import type { FoundImage, PhotoFacts, ReadImage } from '../../pictures/index.ts';
import type { BrokenImage, IndexedImage, MissingImage, StoredImage, VectorStore } from '../../store/index.ts';
import type { Comparison } from '../choices.ts';
import { embeddingsOf, notFinite } from '../embedding.ts';
import { idOf, newIds } from '../new-ids.ts';
import { storedPhotoFacts } from '../photo-columns.ts';

/** An image of the source that must be read, and what the index knows about it. */
export interface Candidate {
  readonly picture: FoundImage;
  readonly id: string;
  readonly earlier: IndexedImage | undefined;
  readonly former: MissingImage | undefined;
  /** Hashes of contents that need no encoding. */
  readonly known: readonly string[];
}

interface Waiting {
  readonly facts: Omit<IndexedImage, 'norm'>;
  readonly earlier: IndexedImage | undefined;
  readonly former: MissingImage | undefined;
  readonly photo: PhotoFacts | undefined;
  readonly pixels: Float32Array;
}

/** Images or milliseconds after which gathered images are committed. */
const imagesPerCommit = 256;
const millisecondsPerCommit = 5_000;

export class Additions {
  readonly #store: VectorStore;
  readonly #comparison: Comparison;
  /** Whether an earlier run found broken images in this source, which may be mended. */
  readonly #hadBroken: boolean;
  #waiting: Waiting[] = [];
  #add: StoredImage[] = [];
  /** Images with the contents that the index has, and new facts. */
  #describe: Omit<IndexedImage, 'norm'>[] = [];
  #broken: BrokenImage[] = [];
  #whole: string[] = [];
  #committed = performance.now();
  /** Of what is committed. */
  readonly counts = { added: 0, changed: 0, unchanged: 0, broken: 0, encoded: 0 };

  constructor(store: VectorStore, comparison: Comparison, hadBroken: boolean) {
    this.#store = store;
    this.#comparison = comparison;
    this.#hadBroken = hadBroken;
  }

  /** How many images are to be encoded. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Looks images up, and returns those that the index does not have as they are. */
  async lookUp(found: readonly FoundImage[]): Promise<Candidate[]> {
    // The last of several with one name counts, as when an archive is unpacked.
    const byPath = new Map(found.map((picture) => [picture.path, picture]));
    const known = new Map<string, IndexedImage>();
    const note = (images: readonly IndexedImage[]) => {
      for (const image of images) if (byPath.has(image.path)) known.set(image.path, image);
    };
    const unknown = () => [...byPath.keys()].filter((path) => !known.has(path));
    note(
      await this.#store.lookUp(
        'id',
        [...byPath.keys()].map((path) => idOf(path)),
      ),
    );
    // A renamed image, and one of an earlier version's index, has another id than its path says.
    note(await this.#store.lookUp('path', unknown()));
    const fresh = unknown();
    const former = new Map(
      (await this.#store.findMissing('path', fresh)).map((image) => [image.path, image]),
    );
    const ids = await newIds([this.#store], fresh);
    return [...byPath.values()].flatMap((picture) => {
      const earlier = known.get(picture.path);
      if (earlier && this.#isSame(earlier, picture)) {
        this.counts.unchanged += 1;
        if (this.#hadBroken) this.#whole.push(picture.path);
        return [];
      }
      const missing = former.get(picture.path);
      const id = earlier?.id ?? missing?.id ?? ids.get(picture.path)!;
      return [{ picture, id, earlier, former: missing, known: earlier ? [earlier.hash] : [] }];
    });
  }

  /** Notes the outcome for an image. */
  take({ picture, id, earlier, former }: Candidate, read: ReadImage): void {
    const { path, folder, offset: memberOffset } = picture;
    if ('reason' in read) {
      this.note({ ...picture, reason: read.reason });
      return;
    }
    if (this.#hadBroken) this.#whole.push(path);
    const { pixels, photo, ...found } = read;
    const facts = { id, path, folder, memberOffset, ...found };
    if (pixels) this.#waiting.push({ facts, earlier, former, photo, pixels });
    else this.#describe.push(facts);
  }

  /** Notes something that cannot be used. */
  note({ path, size, modified, statusChanged, reason }: BrokenImage): void {
    this.#broken.push({ path, size, modified, reason, statusChanged });
  }

  /** Encodes the waiting images. */
  async encode(clip: Clip): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const embeddings = await embeddingsOf(
      clip,
      waiting.map(({ pixels }) => pixels),
    );
    this.counts.encoded += waiting.length;
    waiting.forEach(({ facts, earlier, former, photo }, at) => {
      const embedding = embeddings[at];
      if (embedding === undefined) {
        this.note({ ...facts, reason: notFinite });
        return;
      }
      const metadata = { ...former?.metadata, ...(photo && storedPhotoFacts(photo)) };
      this.#add.push({ ...facts, ...embedding, metadata });
      this.counts[earlier ? 'changed' : 'added'] += 1;
    });
  }

  /** Commits if enough is gathered or enough time has passed. Returns whether it did. */
  async commitIfDue(): Promise<boolean> {
    const count = this.#add.length + this.#describe.length + this.#broken.length;
    const isDue = count >= imagesPerCommit || performance.now() - this.#committed > millisecondsPerCommit;
    if (isDue) await this.commit();
    return isDue;
  }

  /** Everything is written by ids and paths, so that whoever does it again changes nothing. */
  async commit(): Promise<void> {
    const same = new Map(
      (
        await this.#store.find(
          'id',
          this.#describe.map(({ id }) => id),
        )
      ).map(({ id, vector, norm }) => [id, { vector, norm }]),
    );
    const described = this.#describe.flatMap((facts) => {
      const embedding = same.get(facts.id);
      return embedding ? [{ ...facts, ...embedding }] : [];
    });
    await this.#store.add([...this.#add, ...described]);
    this.counts.unchanged += described.length;
    this.#add = [];
    this.#describe = [];
    await this.#store.addBroken(this.#broken);
    this.counts.broken += this.#broken.length;
    this.#broken = [];
    await this.#store.removeBroken(this.#whole);
    this.#whole = [];
    this.#committed = performance.now();
  }

  #isSame(earlier: IndexedImage, { size, modified, statusChanged }: FoundImage): boolean {
    if (this.#comparison === 'contents') return false;
    if (earlier.size !== size || earlier.modified !== modified) return false;
    const isKnown = earlier.statusChanged !== undefined && statusChanged !== undefined;
    return this.#comparison === 'modified' || !isKnown || earlier.statusChanged === statusChanged;
  }
}
