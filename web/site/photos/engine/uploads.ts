/** Pictures that a person gives to search with, until the page is closed. */

import { LincirError } from '../../../../src/core/index.ts';
import type { ResolvedImage } from './search.ts';

export interface GivenPicture extends ResolvedImage {
  readonly thumbnail: Uint8Array<ArrayBuffer>;
}

const most = 200;

export class Uploads {
  readonly #pictures = new Map<string, GivenPicture>();

  add(picture: GivenPicture): string {
    const handle = crypto.randomUUID();
    this.#pictures.set(handle, picture);
    const [oldest] = this.#pictures.keys();
    if (this.#pictures.size > most) this.#pictures.delete(oldest!);
    return handle;
  }

  /** @throws LincirError 'not-found' for one that is forgotten */
  get(handle: string): GivenPicture {
    const picture = this.#pictures.get(handle);
    if (picture) return picture;
    throw new LincirError('not-found', {
      subject: 'the picture that you gave',
      expected: 'one of this visit',
      found: 'an earlier one, which is forgotten',
      todo: 'give it again',
    });
  }

  /** Their embeddings are of a model that is not used any more. */
  forget(): void {
    this.#pictures.clear();
  }
}
