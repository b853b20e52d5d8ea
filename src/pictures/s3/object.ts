/** An object in S3 as a source of bytes: read in ranges, those that follow each other in blocks ahead. */

import { LincirError, type RandomAccess } from '../../core/index.ts';
import { parseS3, S3Connection } from './connection.ts';

/** What a listing, or the object itself, says of it. */
export interface S3Facts {
  /** Its address. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly etag: string;
}

/** Bytes of a block, and how many blocks are kept: what a worker holds of a shard that it goes through, 96 MiB. */
const blockSize = 2 ** 23;
const blocksKept = 12;

/** Connections by buckets, since each learns the bucket's region. */
const connections = new Map<string, S3Connection>();

export function connectionTo(bucket: string): S3Connection {
  const present = connections.get(bucket) ?? new S3Connection(bucket);
  connections.set(bucket, present);
  return present;
}

/** Asks what an object is. Throws as `S3Connection.request` does. */
export async function s3Facts(name: string, signal?: AbortSignal): Promise<S3Facts> {
  const { bucket, key } = parseS3(name);
  // The length must be the object's. To ranges, fetch adds this itself, and signed twice it would be refused.
  const identity = () => ({ 'accept-encoding': 'identity' });
  const options = { method: 'HEAD', key, headers: identity, signal } as const;
  return await connectionTo(bucket).request(name, options, async ({ headers }) => {
    const size = Number(headers.get('content-length') ?? Number.NaN);
    const modified = Date.parse(headers.get('last-modified') ?? '');
    const etag = headers.get('etag') ?? '';
    if (Number.isSafeInteger(size) && Number.isFinite(modified)) return { name, size, modified, etag };
    throw new LincirError('network', {
      subject: name,
      expected: 'an object with a length and a time',
      found: 'an answer without them',
      todo: 'check AWS_ENDPOINT_URL: the server must speak S3',
    });
  });
}

/** The bytes of one version of an object. */
export class S3Object implements RandomAccess {
  readonly name: string;
  readonly size: number;
  readonly modified: number;
  readonly #etag: string;
  readonly #key: string;
  readonly #connection: S3Connection;
  readonly #signal: AbortSignal | undefined;
  /** By number, the one that was used last at the end. */
  readonly #blocks = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();

  constructor({ name, size, modified, etag }: S3Facts, signal?: AbortSignal) {
    const { bucket, key } = parseS3(name);
    this.name = name;
    this.size = size;
    this.modified = modified;
    this.#etag = etag;
    this.#key = key;
    this.#connection = connectionTo(bucket);
    this.#signal = signal;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (offset + length > this.size) {
      throw new LincirError('bad-file', {
        subject: this.name,
        expected: `bytes ${offset} to ${offset + length}`,
        found: `an object of ${this.size} bytes`,
      });
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const at = offset + done;
      const number = Math.floor(at / blockSize);
      const block = await this.#block(number);
      const begin = at - number * blockSize;
      const part = block.subarray(begin, begin + length - done);
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  /** All bytes, without keeping any. */
  async readAll(): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#range(0, this.size);
  }

  /** Some bytes, without keeping any or reading others. */
  async readPart(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#range(offset, length);
  }

  async #block(number: number): Promise<Uint8Array<ArrayBuffer>> {
    const isNext = this.#blocks.has(number - 1);
    const block = this.#kept(number);
    // Whoever reads in order waits for no block.
    if (isNext && (number + 1) * blockSize < this.size && !this.#blocks.has(number + 1)) {
      this.#kept(number + 1).catch(() => {}); // told when it is read
    }
    return await block;
  }

  #kept(number: number): Promise<Uint8Array<ArrayBuffer>> {
    const begin = number * blockSize;
    const block = this.#blocks.get(number) ?? this.#range(begin, Math.min(blockSize, this.size - begin));
    this.#blocks.delete(number);
    this.#blocks.set(number, block);
    block.catch(() => this.#blocks.delete(number)); // The next read tries again.
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= blocksKept) break;
      this.#blocks.delete(oldest);
    }
    return block;
  }

  /** Goes on where a connection was cut. */
  async #range(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    if (length === 0) return bytes;
    let done = 0;
    const headers = () => ({
      range: `bytes=${offset + done}-${offset + length - 1}`,
      ...(this.#etag && { 'if-match': this.#etag }),
    });
    const options = { key: this.#key, headers, signal: this.#signal };
    return await this.#connection.request(this.name, options, async (response, chunks, advanced) => {
      const isWhole = response.status === 200 && length === this.size;
      if (isWhole) done = 0;
      if (response.status !== 206 && !isWhole) {
        throw new LincirError('network', {
          subject: this.name,
          expected: 'a server that sends ranges of an object',
          found: `HTTP status ${response.status}`,
          todo: 'check AWS_ENDPOINT_URL: the server must speak S3',
        });
      }
      for await (const chunk of chunks) {
        if (done + chunk.length > length) break;
        bytes.set(chunk, done);
        done += chunk.length;
        advanced();
      }
      if (done === length) return bytes;
      throw this.#connection.cut(`${done} of ${length} bytes`);
    });
  }
}
