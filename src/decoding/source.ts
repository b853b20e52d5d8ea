/** Reads the bytes of an image from files, URLs, or memory in several forms. */

import { constants, open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { LincirError, quoted } from '../core/index.ts';
import { asLincirError, pathOnDisk } from '../files/index.ts';
import type { EncodedSource } from '../pixels/index.ts';

/** An encoded image, and its name in errors. */
export interface EncodedImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly name: string;
}

/** Limit of an image's file: 200 megapixels of float32 fit. */
const mostImageBytes = 2 ** 31;

/**
 * A source's bytes. A file is read again each time, because libraries that get its path may remember its old contents.
 * @param name name in errors of an image without a path
 * @throws LincirError `not-found`, `io`, `bad-file` if it is empty or too large, `bad-argument` for another URL
 */
export async function imageBytes(source: EncodedSource, name: string): Promise<EncodedImage> {
  if (typeof source === 'string') return { bytes: await fileBytes(source), name: source };
  if (source instanceof URL) return await urlBytes(source, name);
  if (source instanceof Blob) {
    const subject = 'name' in source && typeof source.name === 'string' ? source.name : name;
    expectSize(source.size, subject, 'no bytes');
    return imageOf(await source.arrayBuffer(), subject);
  }
  return imageOf(source, name);
}

function imageOf(source: ArrayBuffer | Uint8Array, name: string): EncodedImage {
  expectSize(source.byteLength, name, 'no bytes');
  const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
  return { bytes: isOwn(bytes) ? bytes : new Uint8Array(bytes), name };
}

async function urlBytes(url: URL, name: string): Promise<EncodedImage> {
  if (url.protocol === 'file:') {
    const path = fileURLToPath(url);
    return { bytes: await fileBytes(path), name: path };
  }
  if (url.protocol === 'data:') {
    const answer = await fetch(url).catch((cause: unknown) => {
      throw notAnImage(name, 'a data: URL that cannot be read', cause);
    });
    return imageOf(await answer.arrayBuffer(), name);
  }
  throw new LincirError('bad-argument', {
    subject: name,
    expected: 'a URL that begins with file: or data:',
    found: quoted(url.href),
    todo: 'fetch it yourself, and give its bytes or a Blob',
  });
}

async function fileBytes(named: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = await pathOnDisk(named);
  try {
    await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // A pipe would wait for its writer.
    const facts = await file.stat();
    if (!facts.isFile()) {
      throw notAnImage(path, facts.isDirectory() ? 'a folder' : 'something that is no file');
    }
    expectSize(facts.size, path, 'an empty file');
    const bytes = new Uint8Array(facts.size);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, done);
      if (bytesRead === 0) return bytes.subarray(0, done);
      done += bytesRead;
    }
    return bytes;
  } catch (cause) {
    if (cause instanceof LincirError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    if (!missing) throw asLincirError(cause, path, 'read');
    throw new LincirError('not-found', {
      subject: path,
      expected: 'a readable image file',
      found: 'nothing there',
      cause,
    });
  }
}

function expectSize(size: number, subject: string, nothing: string): void {
  if (size === 0) throw notAnImage(subject, nothing);
  if (size > mostImageBytes) throw notAnImage(subject, `${size} bytes`);
}

/** Whether no other thread can change it. */
function isOwn(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}

/** An error about a file that is not an image, or is damaged. */
export function notAnImage(subject: string, found: string, cause?: unknown): LincirError {
  return new LincirError('bad-file', { subject, expected: 'a whole image', found, cause });
}
