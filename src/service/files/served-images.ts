/** Thumbnails and originals of indexed images. */

import { join } from 'node:path';
import { cacheFolder } from '../../files/index.ts';
import type { ImageIndex } from '../../indexing/index.ts';
import type { KnownImage } from '../../store/index.ts';
import type { RequestScope, ServedFile } from '../service.ts';
import { placeOf } from './guard.ts';
import { ImageQueue } from './image-queue.ts';
import { ThumbnailCache } from './thumbnail-cache.ts';

/** Sides of the squares that thumbnails fit into, in pixels: few, so that they are found again. */
const sides = [64, 160, 320, 512, 1024, 2048];

/** Of the names of converted images. */
const endings: Partial<Record<string, readonly [fits: RegExp, ending: string]>> = {
  'image/jpeg': [/\.jpe?g$/i, '.jpg'],
  'image/png': [/\.png$/i, '.png'],
};

/** Owns a thread and its cache: close it. */
export class ServedImages {
  readonly #queue = new ImageQueue();
  readonly #cache: ThumbnailCache;

  /** @param folder of the thumbnails; null keeps them in memory alone */
  constructor(folder: string | null = join(cacheFolder(), 'thumbnails-1')) {
    this.#cache = new ThumbnailCache(folder === null ? {} : { folder });
  }

  /**
   * An image as JPEG, upright, on white, in a square of `side` pixels or a little larger. One that is kept is sent even
   * while its disk is away.
   * @throws LincirError 'not-found' if its file is gone, lies elsewhere or has changed; 'bad-file' and 'io' if it cannot be
   *   read; 'busy' if it is not made by the deadline; and the signal's reason
   */
  async thumbnail(
    image: KnownImage,
    index: ImageIndex,
    side: number,
    scope: RequestScope,
  ): Promise<ServedFile> {
    const size = sides.find((step) => step >= side) ?? sides.at(-1)!;
    const kept = await this.#cache.get(image.hash, size);
    const bytes = kept ?? (await this.#made(image, index, size, scope)).bytes;
    if (kept === undefined) this.#cache.put(image.hash, size, bytes);
    return { bytes, type: 'image/jpeg', name: `${image.id}.jpg`, etag: `${image.hash}-${size}` };
  }

  /**
   * An image's own bytes, if a browser shows them and they run nothing; otherwise its pixels. It must lie in a folder of the
   * index now, and be the very file that the index knows. Throws as `thumbnail` does.
   */
  async original(image: KnownImage, index: ImageIndex, scope: RequestScope): Promise<ServedFile> {
    const { bytes, type } = await this.#made(image, index, undefined, scope);
    const name = image.path.split('/').at(-1)!;
    const [fits, ending] = endings[type] ?? [/$/, ''];
    return { bytes, type, name: fits.test(name) ? name : `${name}${ending}`, etag: image.hash };
  }

  /** Finishes what runs, and refuses the rest. */
  async close(): Promise<void> {
    await this.#queue.close();
    await this.#cache.settled();
  }

  async #made(image: KnownImage, index: ImageIndex, side: number | undefined, scope: RequestScope) {
    scope.signal.throwIfAborted();
    const place = await placeOf(image, index);
    const { id, size, hash, memberOffset } = image;
    const work = { image: { id, size, hash, memberOffset }, place, ...(side !== undefined && { side }) };
    return await this.#queue.ask(JSON.stringify([place, hash, side]), work, scope);
  }
}
