/** Holds files against the hash that the hub states: small ones before anything reads them, large ones when all of them is here. */

import { LincirError, type RandomAccess } from '../core/index.ts';
import type { RemoteFile } from '../hub/portable.ts';
import { blobHash } from './blob-hash.ts';
import { blockLength } from './blocks.ts';
import { warn } from './kept.ts';
import type { RemoteSource } from './remote-file.ts';

/** Parts of larger files are used before the rest has arrived. */
const mostToWaitFor = 64 * 2 ** 20;
/** Milliseconds without a read after which a large file is checked, so that nobody waits for it. */
const quiet = 5000;

/** A source whose bytes were checked, or, of a large file, are when it is here and no longer read. */
export function verified(source: RemoteSource, file: RemoteFile): RandomAccess {
  return source.size > mostToWaitFor ? checkedLater(source, file) : checkedFirst(source, file);
}

/**
 * Fetches what is missing of a file, and checks all of it, unless that was done before.
 * @throws LincirError 'network' if it differs: then nothing of it is kept. And the signal's reason, and as `read` does
 */
export async function expectHash(
  source: RemoteSource,
  file: RemoteFile,
  signal?: AbortSignal,
): Promise<void> {
  const problem = await wrongHash(source, file, signal);
  if (problem) throw problem;
}

async function wrongHash(
  source: RemoteSource,
  { etag }: RemoteFile,
  signal?: AbortSignal,
): Promise<LincirError | undefined> {
  signal?.throwIfAborted();
  if (await source.isChecked()) return undefined;
  const { name, size } = source;
  const hash = await blobHash(etag, size);
  for (let at = 0; at < size; at += blockLength) {
    hash.update(await source.read(at, Math.min(blockLength, size - at)));
    signal?.throwIfAborted(); // what is here is read all the same
  }
  const found = hash.digest();
  if (found === etag) {
    await source.setChecked();
    return undefined;
  }
  await source.clear();
  return new LincirError('network', {
    subject: name,
    expected: `${size} bytes with the hash ${etag}`,
    found: `the hash ${found}`,
    todo: 'nothing of it was kept; try again, and suspect a proxy or mirror if it happens again',
  });
}

function checkedFirst(source: RemoteSource, file: RemoteFile): RandomAccess {
  const { name, size } = source;
  let checked: Promise<void> | undefined;
  return {
    name,
    size,
    async read(offset, length) {
      checked ??= expectHash(source, file).catch((error: unknown) => {
        checked = undefined;
        throw error;
      });
      await checked;
      return await source.read(offset, length);
    },
  };
}

function checkedLater(source: RemoteSource, file: RemoteFile): RandomAccess {
  const { name, size } = source;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let refusal: LincirError | undefined;
  let isBusy = false;
  const check = async () => {
    if (isBusy || !(await source.isWhole())) return; // perhaps only parts of it are used
    isBusy = true;
    refusal = await wrongHash(source, file).catch(() => undefined); // the next read tells of a failure
    isBusy = false;
    if (refusal) warn(`${refusal.message}. What was computed with it in this tab cannot be trusted.`);
  };
  return {
    name,
    size,
    async read(offset, length) {
      if (refusal) throw refusal;
      const bytes = await source.read(offset, length);
      clearTimeout(timer);
      timer = setTimeout(() => void check().catch(() => {}), quiet);
      return bytes;
    },
  };
}
