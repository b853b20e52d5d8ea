/** Downloads files of a revision into the cache. Offline, says what is missing there. */

import { join } from 'node:path';
import { type DownloadOptions, formatBytes, LincirError } from '../core/index.ts';
import { asLincirError, freeSpace } from '../files/index.ts';
import { type Repository, repositoryIn, sizeOf, writeRef } from './cache.ts';
import { fetchFile, type RemoteFile } from './download.ts';
import { type HubEnvironment, readToken } from './environment.ts';
import { type Listing, listFiles } from './listing.ts';
import { type Connection, defaultPatience } from './request.ts';

/** What to download from the repository `id`. */
export interface Wanted {
  readonly id: string;
  readonly revision: string;
  /** What the cache lacks, in messages. */
  readonly missing: readonly string[];
  /** Chooses a commit's files, in this order. `fetch` downloads one at once, if the choice depends on it. */
  readonly choose: (
    listing: Listing,
    repository: Repository,
    fetch: (file: RemoteFile) => Promise<void>,
  ) => readonly RemoteFile[] | Promise<readonly RemoteFile[]>;
  /** Called when all are there, before the revision is set to their commit. */
  readonly onComplete?: (listing: Listing, repository: Repository) => Promise<void>;
}

/**
 * @returns the commit, and the chosen files
 * @throws LincirError 'not-found', 'network', 'io', what `choose` throws, and the signal's reason
 */
export async function downloadFiles(
  { id, revision, missing, choose, onComplete }: Wanted,
  environment: HubEnvironment,
  { signal, patience, onProgress }: DownloadOptions,
): Promise<{ readonly commit: string; readonly files: readonly RemoteFile[] }> {
  const { offline, endpoint, cacheFolder, symlinks } = environment;
  if (offline) {
    throw new LincirError('not-found', {
      subject: `${id}@${revision}`,
      expected: `${missing.join(', ')} in ${cacheFolder}`,
      found: 'none, and HF_HUB_OFFLINE forbids the download',
      todo: 'unset HF_HUB_OFFLINE',
    });
  }
  const token = await readToken(environment);
  const connection: Connection = { ...defaultPatience, ...patience, endpoint, token, signal };
  const repository = repositoryIn(cacheFolder, id);
  try {
    const listing = await listFiles(connection, 'models', id, revision);
    const fetch = (file: RemoteFile, onReceived: (bytes: number) => void) =>
      fetchFile(repository, listing.commit, file, connection, symlinks, onReceived);
    const files = await choose(listing, repository, (file) => fetch(file, () => {}));
    const allTotalBytes = files.reduce((sum, { size }) => sum + size, 0);
    await expectRoom(files, repository, listing.commit, id, environment);
    let finishedBytes = 0;
    for (const file of files) {
      await fetch(file, (receivedBytes) => {
        const allReceivedBytes = finishedBytes + receivedBytes;
        const { name, size: totalBytes } = file;
        onProgress?.({ file: name, receivedBytes, totalBytes, allReceivedBytes, allTotalBytes });
      });
      finishedBytes += file.size;
    }
    await onComplete?.(listing, repository);
    // Last: until the new commit is complete, the branch means the old one, which may be complete.
    await writeRef(repository, revision, listing.commit);
    return { commit: listing.commit, files };
  } catch (error) {
    signal?.throwIfAborted();
    throw asLincirError(error, cacheFolder, 'write');
  }
}

/** Refuses a download for which the disk is too small, before it begins. What was received in part is there. */
async function expectRoom(
  files: readonly RemoteFile[],
  repository: Repository,
  commit: string,
  id: string,
  { cacheFolder }: HubEnvironment,
): Promise<void> {
  let missing = 0;
  for (const { name, size, etag } of files) {
    const parts = [join(repository.snapshot(commit), name), repository.blob(etag)];
    const sizes = await Promise.all(parts.map(sizeOf));
    if (!sizes.includes(size)) missing += size - ((await sizeOf(`${repository.blob(etag)}.incomplete`)) ?? 0);
  }
  const free = await freeSpace(cacheFolder);
  if (free === undefined || free >= missing) return;
  throw new LincirError('io', {
    subject: cacheFolder,
    expected: `${formatBytes(missing)} free for ${id}`,
    found: formatBytes(free),
    todo: 'make room, or set HF_HOME to a folder on a larger disk',
  });
}
