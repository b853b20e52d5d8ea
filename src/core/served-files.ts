/** Files on a web server, which are read in ranges where it gives ranges, and otherwise whole. */

import { LincirError } from './errors.ts';
import type { ModelFiles, RandomAccess } from './source.ts';

/** What the first request of a file asks for: the whole of a small one, and the header of a large one. */
const firstLength = 2 ** 16;

/**
 * The files of a model that lie below an address, for `loadClip`. A range of a file is fetched when it is needed.
 * @param folder where they lie, such as `new URL('models/mine/', document.baseURI)`
 */
export function filesAt(folder: URL | string): ModelFiles {
  const base = `${folder}`.replace(/\/?$/, '/');
  return { name: base.replace(/\/$/, ''), read: (name) => open(`${base}${name}`) };
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
  const { response, bytes } = await fetched(address, 0, firstLength);
  // Development servers answer with their page where there is no file.
  if (bytes === undefined || response.headers.get('content-type')?.startsWith('text/html')) return undefined;
  const total = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  const size = response.status === 206 && total !== undefined ? Number(total) : bytes.length;
  return {
    name: address,
    size,
    async read(offset, length) {
      const end = offset + length;
      if (end <= bytes.length) return bytes.slice(offset, end);
      const range = await fetched(address, offset, length);
      if (range.bytes?.length === length && range.response.status === 206) return range.bytes;
      if (range.bytes?.length === size) return range.bytes.slice(offset, end);
      throw failure(address, `${range.bytes?.length ?? 'none'} of ${length} bytes`);
    },
  };
}

/** The answer and its bytes; no bytes if there is no such file. */
async function fetched(
  address: string,
  offset: number,
  length: number,
): Promise<{ readonly response: Response; readonly bytes?: Uint8Array<ArrayBuffer> }> {
  try {
    const range = `bytes=${offset}-${offset + length - 1}`;
    const response = await fetch(address, { headers: { range } });
    const { status } = response;
    if (status === 404 || status === 410) return { response };
    if (status === 416 && offset === 0) return { response, bytes: new Uint8Array() }; // an empty file has no ranges
    if (!response.ok) throw failure(address, `status ${status}`);
    return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
  } catch (cause) {
    if (cause instanceof LincirError) throw cause;
    throw failure(address, cause instanceof Error ? cause.message : `${cause}`, cause);
  }
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
