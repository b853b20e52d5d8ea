/** Finds the images that requests name or bring: in the index, among uploads, on the web, or as bytes. */

import type { ImageReference, Upload } from '../api/index.ts';
import { LincirError } from '../core/index.ts';
import type { ResolvedImage } from './composing.ts';
import type { Lanes } from './lanes.ts';
import { bytesOfReference } from './references.ts';
import type { QueryModel, ServedIndex } from './served-index.ts';
import type { RequestScope } from './service.ts';
import { Uploads, written } from './uploads.ts';

/** Pixels of an upload's thumbnail. */
const thumbnailSide = 320;

export class RequestImages {
  readonly uploads = new Uploads();
  readonly #lanes: Lanes;
  readonly #allowsUrls: boolean;
  readonly #onNote: (text: string) => void;

  constructor(lanes: Lanes, allowsUrls: boolean, onNote: (text: string) => void) {
    this.#lanes = lanes;
    this.#allowsUrls = allowsUrls;
    this.#onNote = onNote;
  }

  /** An image of a query, with its embedding: the index's own if it knows the same contents. */
  async resolve(
    reference: ImageReference,
    served: ServedIndex,
    model: QueryModel,
    scope: RequestScope,
  ): Promise<ResolvedImage> {
    if ('id' in reference) {
      const found = await served.find(reference.id);
      if (found) return found;
      throw noImage(reference.id);
    }
    if ('upload' in reference) {
      const { shared } = served.index;
      const { name, hash, embedding, fingerprint } = await this.uploads.find(reference.upload, shared);
      if (fingerprint === model.toRun.fingerprint) return { path: name, vector: embedding, norm: 1, hash };
      throw new LincirError('not-found', {
        subject: 'the upload',
        expected: 'one for the model of this index',
        found: 'one for another model',
        todo: 'upload the image again, for this index',
      });
    }
    const given = (await bytesOfReference(reference, this.#allowsUrls, scope.signal))!;
    const { hash, bytes } = await this.#lanes.hash(given, scope);
    const known = await this.#withHash(served, hash, scope);
    if (known) return known;
    const { pixels } = await this.#lanes.prepare(model.clip, { bytes, name: 'the image' }, scope);
    const vector = await this.#lanes.image(model.toRun, pixels, scope);
    return { path: 'the image', vector, norm: 1, hash };
  }

  /** Takes an image for later queries. Its bytes move, so it says where they are, in case it is called again. */
  async upload(
    given: { bytes: Uint8Array; readonly name: string },
    served: ServedIndex,
    { clip, toRun }: QueryModel,
    scope: RequestScope,
  ): Promise<Upload> {
    const { name } = given;
    const hashed = await this.#lanes.hash(given.bytes, scope);
    given.bytes = hashed.bytes;
    const { hash } = hashed;
    const known = await this.#withHash(served, hash, scope);
    const shown = { name: name || 'the image', thumbnailSide };
    const prepared = await this.#lanes.prepare(clip, { ...given, ...shown }, scope);
    given.bytes = prepared.bytes;
    const { pixels, width, height, thumbnail } = prepared;
    const embedding = await this.#lanes.image(toRun, pixels, scope);
    const { fingerprint } = toRun;
    const image = { name, hash, embedding, fingerprint, thumbnail };
    const upload = this.uploads.add(image);
    await served.index.shared
      ?.put(upload, written(image))
      .catch((error: Error) =>
        this.#onNote(`${served.name}: this server alone has an upload: ${error.message}`),
      );
    return { upload, name, width, height, ...(known && { id: known.id }) };
  }

  async #withHash({ index }: ServedIndex, hash: string, scope: RequestScope) {
    const [same] = await this.#lanes.search(() => index.findAll('hash', [hash]), scope);
    return same;
  }
}

export function noImage(id: string): LincirError {
  return new LincirError('not-found', {
    subject: `image ${id}`,
    expected: 'an id in the index',
    found: 'no image with it',
  });
}
