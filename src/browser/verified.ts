/** Files that are small enough to be in memory as a whole: their hash is that of the hub, before anything reads them. */

import { LincirError, type RandomAccess } from '../core/index.ts';
import type { RemoteFile } from '../hub/portable.ts';
import type { RemoteSource } from './remote-file.ts';

/** Larger files, whose parts are read by themselves, have a size and come over HTTPS from the address of a commit. */
export const mostToVerify = 64 * 2 ** 20;

/** The same source, if it is large; otherwise one that fetches and checks the whole when it is first read. */
export function verified(source: RemoteSource, { etag }: RemoteFile): RandomAccess {
  if (source.size > mostToVerify) return source;
  let whole: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const { name, size } = source;
  return {
    name,
    size,
    async read(offset, length) {
      if (offset + length > size) return await source.read(offset, length); // which refuses
      whole ??= checkedBytes(source, etag).catch((error: unknown) => {
        whole = undefined;
        throw error;
      });
      return (await whole).slice(offset, offset + length);
    },
  };
}

async function checkedBytes(source: RemoteSource, etag: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await source.read(0, source.size);
  const hash = await hashOf(bytes, etag);
  if (hash === etag) return bytes;
  await source.clear();
  throw new LincirError('network', {
    subject: source.name,
    expected: `${source.size} bytes with the hash ${etag}`,
    found: `the hash ${hash}`,
    todo: 'nothing of it was kept; try again, and suspect a proxy or mirror if it happens again',
  });
}

/** The hash of the same kind as a blob's name: 64 digits of SHA-256, or 40 of a git object's SHA-1. */
async function hashOf(bytes: Uint8Array<ArrayBuffer>, { length }: string): Promise<string> {
  const isGit = length === 40;
  const content = isGit ? await new Blob([`blob ${bytes.length}\0`, bytes]).arrayBuffer() : bytes;
  const hash = await crypto.subtle.digest(isGit ? 'SHA-1' : 'SHA-256', content);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
