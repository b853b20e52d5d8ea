/** Keeps uploaded images' embeddings and thumbnails for later queries, in bounded memory and with other servers of an index. */

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { checkedValue, LincirError, parseJsonText } from '../core/index.ts';
import type { SharedStore } from '../store/index.ts';

/** What is kept of an uploaded image. */
export interface UploadedImage {
  readonly name: string;
  /** SHA-256 of its bytes, in hex. */
  readonly hash: string;
  /** As CLIP gives it, not of length 1. */
  readonly embedding: Float32Array;
  /** The model that made the embedding. */
  readonly fingerprint: string;
  /** JPEG. */
  readonly thumbnail: Uint8Array<ArrayBuffer> | undefined;
}

/** Bytes of all uploads together: some 2,000 of them. */
const defaultRoom = 64 * 2 ** 20;

/** Uploads by handle. The ones that were not used for longest are forgotten first. */
export class Uploads {
  readonly #room: number;
  /** The least recently used first. */
  readonly #images = new Map<string, UploadedImage>();
  #taken = 0;

  constructor(room = defaultRoom) {
    this.#room = room;
  }

  /** Keeps an image, and returns its handle, which nobody can guess. */
  add(image: UploadedImage): string {
    const handle = randomBytes(18).toString('base64url');
    this.#keep(handle, image);
    return handle;
  }

  /**
   * An image that this server or another one of the index has taken.
   * @throws LincirError 'not-found' for an unknown or forgotten handle
   */
  async find(handle: string, shared: SharedStore | undefined): Promise<UploadedImage> {
    const isHere = this.#images.has(handle);
    const text = isHere ? undefined : await shared?.get(handle);
    if (text !== undefined) this.#keep(handle, parsed(text));
    return this.get(handle);
  }

  #keep(handle: string, image: UploadedImage): void {
    if (this.#images.has(handle)) return;
    this.#images.set(handle, image);
    this.#taken += bytesOf(image);
    for (const [oldest, facts] of this.#images) {
      if (this.#taken <= this.#room || oldest === handle) break;
      this.#images.delete(oldest);
      this.#taken -= bytesOf(facts);
    }
  }

  /** @throws LincirError 'not-found' for an unknown or forgotten handle */
  get(handle: string): UploadedImage {
    const image = this.#images.get(handle);
    if (image === undefined) {
      throw new LincirError('not-found', {
        subject: 'the upload',
        expected: 'one that the server still has',
        found: 'one that it does not know or has forgotten',
        todo: 'upload the image again',
      });
    }
    this.#images.delete(handle);
    this.#images.set(handle, image);
    return image;
  }
}

/** An image as other servers read it. */
export function written({ embedding, thumbnail, ...facts }: UploadedImage): string {
  const { buffer, byteOffset, byteLength } = embedding;
  return JSON.stringify({
    ...facts,
    embedding: Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    thumbnail: thumbnail && Buffer.from(thumbnail).toString('base64'),
  });
}

const writtenImage = z.object({
  name: z.string(),
  hash: z.string(),
  fingerprint: z.string(),
  embedding: z.string().refine((text) => Buffer.from(text, 'base64').length % 4 === 0, 'numbers of float32'),
  thumbnail: z.string().optional(),
});

function parsed(text: string): UploadedImage {
  const subject = 'an upload';
  const value = checkedValue(writtenImage, parseJsonText(text, subject), subject);
  const { embedding, thumbnail, ...facts } = value;
  const bytes = Uint8Array.from(Buffer.from(embedding, 'base64'));
  return {
    ...facts,
    embedding: new Float32Array(bytes.buffer),
    thumbnail: thumbnail === undefined ? undefined : Uint8Array.from(Buffer.from(thumbnail, 'base64')),
  };
}

/** Besides these, each takes some hundred bytes of names. */
function bytesOf({ embedding, thumbnail, name }: UploadedImage): number {
  return embedding.byteLength + (thumbnail?.byteLength ?? 0) + 2 * name.length + 512;
}
