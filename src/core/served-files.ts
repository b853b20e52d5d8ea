/** Files on a web server: small ones are fetched whole, large ones in blocks where they are read. */

import { LincirError } from './errors.ts';
import { formatBytes } from './format.ts';
import type { ModelFiles, RandomAccess } from './source.ts';

/** Up to here a file is fetched by one request, whose answer the browser's cache keeps, and stays in memory. */
const mostWhole = 2 ** 26;
/** A block holds many small tensors, or a part of a large one. */
const blockLength = 2 ** 23;
const blocksInMemory = 4;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The files of a model that lie below an address, for `loadClip`.
 * @param folder where they lie, such as `new URL('models/mine/', document.baseURI)`
 */
export function filesAt(folder: URL | string): ModelFiles {
  const name = `${folder}`.replace(/\/$/, '');
  return { name, read: (file) => open(`${name}/${file}`) };
}

/** A file at an address, such as a phi for `loadPhi`. Throws LincirError 'not-found' or 'network'. */
export async function fileAt(address: URL | string): Promise<RandomAccess> {
  const file = await open(`${address}`);
  if (file) return file;
  throw new LincirError('not-found', {
    subject: `${address}`,
    expected: 'a file',
    found: 'no such file, or a page in place of it',
    todo: 'check the address, and that the file is on its server',
  });
}

async function open(address: string): Promise<RandomAccess | undefined> {
  const response = await asked(address);
  // Development servers answer with their page where there is no file.
  if (response === undefined || response.headers.get('content-type')?.startsWith('text/html')) {
    await response?.body?.cancel();
    return undefined;
  }
  const size = Number(response.headers.get('content-length') ?? 0);
  if (size > mostWhole && !response.headers.has('content-encoding')) {
    await response.body?.cancel();
    return inBlocks(address, size);
  }
  const bytes = await bytesOf(address, response);
  return {
    name: address,
    size: bytes.length,
    read: async (offset, length) => bytes.slice(offset, offset + length),
  };
}

function inBlocks(address: string, size: number): RandomAccess {
  const blocks = new Map<number, Promise<Bytes>>();
  const blockAt = (begin: number): Promise<Bytes> => {
    const block = blocks.get(begin) ?? fetchRange(address, begin, Math.min(begin + blockLength, size));
    blocks.delete(begin);
    blocks.set(begin, block); // the last is the one that was used last
    block.catch(() => blocks.delete(begin)); // it may be there the next time
    for (const old of blocks.keys()) if (blocks.size > blocksInMemory) blocks.delete(old);
    return block;
  };
  return {
    name: address,
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let at = offset; at < offset + length; ) {
        const from = at % blockLength;
        const part = (await blockAt(at - from)).subarray(from, from + offset + length - at);
        bytes.set(part, at - offset);
        at += part.length;
      }
      return bytes;
    },
  };
}

/** Caches are left out: browsers' own mix up ranges that many requests ask for at once. */
async function fetchRange(address: string, begin: number, end: number): Promise<Bytes> {
  const headers = { range: `bytes=${begin}-${end - 1}` };
  const response = await asked(address, { headers, cache: 'no-store' });
  if (response?.status !== 206) {
    await response?.body?.cancel();
    if (!response) throw failure(address, 'no such file any more');
    throw new LincirError('network', {
      subject: address,
      expected: `a server that gives ranges, as files of more than ${formatBytes(mostWhole)} need it`,
      found: `status ${response.status}`,
      todo: 'serve the file from another server',
    });
  }
  const bytes = await bytesOf(address, response);
  if (bytes.length === end - begin) return bytes;
  throw failure(address, `${bytes.length} of ${end - begin} bytes`);
}

/** The server's answer; undefined if there is no such file. */
async function asked(address: string, init?: RequestInit): Promise<Response | undefined> {
  const response = await fetch(address, init).catch((cause: unknown) => {
    throw failure(address, messageOf(cause), cause);
  });
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 404 || response.status === 410) return undefined;
  throw failure(address, `status ${response.status}`);
}

async function bytesOf(address: string, response: Response): Promise<Bytes> {
  const buffer = await response.arrayBuffer().catch((cause: unknown) => {
    throw failure(address, messageOf(cause), cause);
  });
  return new Uint8Array(buffer);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : `${cause}`;
}

function failure(address: string, found: string, cause?: unknown): LincirError {
  return new LincirError('network', {
    subject: address,
    expected: 'an answer with the file',
    found,
    todo: 'check the connection; a server elsewhere must allow this page to read it (CORS)',
    cause,
  });
}
