/** The pictures of published values: from a folder, from the cache, or from where they are published. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LincirError, option } from '../../core/index.ts';
import { asLincirError, Interruption, keep, kept, transfer } from '../../files/index.ts';
import { readHubEnvironment } from '../../hub/index.ts';

/** A picture that others own. */
export interface PublishedPicture {
  /** The name of its file. */
  readonly file: string;
  readonly address: string;
  /** Of its bytes, in hex. Absent where nobody states it. */
  readonly sha256?: string;
}

export interface PictureOptions {
  /** Folder with the pictures. Default: the cache, and the web for what it lacks. */
  readonly pictures?: string;
  readonly signal?: AbortSignal;
}

/** Milliseconds without a byte after which a connection counts as broken. */
const silence = 30_000;
const mostBytes = 32 * 2 ** 20;

/**
 * The bytes of a picture. A download is kept in the cache.
 * @throws LincirError 'not-found' for what the folder lacks, 'bad-file' for another picture of that name, 'network', 'io', and
 *   the signal's reason
 */
export async function publishedPicture(
  picture: PublishedPicture,
  { pictures, signal }: PictureOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  if (pictures !== undefined) {
    const path = join(pictures, picture.file);
    const bytes = await readFile(path).catch((error: unknown) => {
      throw asLincirError(error, path, 'read');
    });
    return expected(new Uint8Array(bytes), picture, path);
  }
  const name = `published/${picture.file}`;
  const held = await kept(name);
  if (held) return expected(await held.read(0, held.size), picture, held.name);
  const bytes = await download(picture, signal);
  await keep(name, expected(bytes, picture, picture.address));
  return bytes;
}

async function download(
  { file, address }: PublishedPicture,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const refuse = (found: string, cause?: unknown) =>
    new LincirError('network', {
      subject: file,
      expected: `the picture from ${address}`,
      found,
      todo: `get it yourself, and give its folder: ${option<PictureOptions>('pictures')}`,
      cause,
    });
  if (readHubEnvironment().offline) throw refuse('HF_HUB_OFFLINE, which forbids downloads');
  try {
    return await transfer(
      { silence, signal },
      (stop) => fetch(address, { signal: stop }),
      async (response, chunks) => {
        if (!response.ok) throw refuse(`HTTP status ${response.status}`);
        const received: Uint8Array[] = [];
        let length = 0;
        for await (const chunk of chunks) {
          length += chunk.length;
          if (length > mostBytes) throw refuse(`more than ${mostBytes} bytes`);
          received.push(chunk);
        }
        return new Uint8Array(await new Blob(received as Uint8Array<ArrayBuffer>[]).arrayBuffer());
      },
    );
  } catch (error) {
    throw error instanceof Interruption ? refuse(error.message, error) : error;
  }
}

/** Another picture would give other values, and the model would be blamed. */
function expected(
  bytes: Uint8Array<ArrayBuffer>,
  { sha256, address }: PublishedPicture,
  subject: string,
): Uint8Array<ArrayBuffer> {
  const found = createHash('sha256').update(bytes).digest('hex');
  if (sha256 === undefined || found === sha256) return bytes;
  throw new LincirError('bad-file', {
    subject,
    expected: `the picture with the SHA-256 ${sha256}`,
    found,
    todo: `get it from ${address}, or remove it`,
  });
}
