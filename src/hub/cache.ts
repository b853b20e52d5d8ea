/** The cache layout of Hugging Face's tools: refs name commits, and snapshots of commits link to blobs. */

import { copyFile, link, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { asideIn, makeFolder, statOf, writeFileAtomically } from '../files/index.ts';

/** One model's part of the cache. `commit` is 40 hexadecimal digits and `etag` the name of a blob: its git or SHA-256 hash. */
export interface Repository {
  readonly folder: string;
  snapshot(commit: string): string;
  blob(etag: string): string;
  /** The lock during a blob's download. Python's own lock files stay behind, so this has another name. */
  lock(etag: string): string;
  /** An empty file that exists if the commit is known to have no file `name`. */
  absence(commit: string, name: string): string;
}

/** The folder of the model `owner/name` in the cache. */
export function repositoryIn(cacheFolder: string, id: string): Repository {
  const name = `models--${id.replace('/', '--')}`;
  const folder = join(cacheFolder, name);
  return {
    folder,
    snapshot: (commit) => join(folder, 'snapshots', commit),
    blob: (etag) => join(folder, 'blobs', etag),
    lock: (etag) => join(cacheFolder, '.locks', name, `${etag}.lincir.lock`),
    absence: (commit, file) => join(folder, '.no_exist', commit, file),
  };
}

/** The ids of all models in the cache, alphabetically. */
export async function cachedIds(cacheFolder: string): Promise<string[]> {
  const names = await namesIn(cacheFolder);
  return names
    .filter((name) => /^models--.+?--./.test(name))
    .map((name) => name.slice('models--'.length).replace('--', '/'))
    .sort();
}

/** The commits that have a snapshot, complete or not. */
export async function cachedCommits(repository: Repository): Promise<string[]> {
  return (await namesIn(join(repository.folder, 'snapshots'))).filter(isCommit);
}

/** The branches and tags that are known in the cache, with their commits. */
export async function cachedRefs(repository: Repository): Promise<Map<string, string>> {
  const folder = join(repository.folder, 'refs');
  const refs = new Map<string, string>();
  for (const name of await namesIn(folder, true)) {
    if (name.endsWith('.tmp')) continue; // Another process is writing it.
    const commit = await cachedCommit(repository, name);
    if (commit !== undefined) refs.set(name.replaceAll('\\', '/'), commit);
  }
  return refs;
}

/** The commit of a branch, tag or commit when it was last downloaded. */
export async function cachedCommit(repository: Repository, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const text = await readFile(join(repository.folder, 'refs', revision), 'utf8').catch(() => '');
  return isCommit(text.trim()) ? text.trim() : undefined;
}

/** Notes the commit of a branch or tag. */
export async function writeRef(repository: Repository, revision: string, commit: string): Promise<void> {
  if (isCommit(revision)) return;
  const path = join(repository.folder, 'refs', revision);
  await makeFolder(dirname(path));
  await writeFileAtomically(path, (file) => file.writeFile(commit));
}

/**
 * Puts a blob into a snapshot, and replaces what was there: as a relative symbolic link, else (on Windows without the
 * privilege) as a hard link, else as a copy.
 */
export async function linkIntoSnapshot(blob: string, path: string, symlinks: boolean): Promise<void> {
  await makeFolder(dirname(path));
  const aside = await asideIn(dirname(path));
  const linked = symlinks
    ? symlink(relative(dirname(path), blob), aside, 'file').catch(() => link(blob, aside))
    : link(blob, aside);
  try {
    await linked.catch(() => copyFile(blob, aside));
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/** Size of a file, following links; undefined if there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const found = await statOf(path);
  return found?.isFile() ? found.size : undefined;
}

/** The names in a folder, none if it is missing. If recursive, paths of files relative to it. */
export async function namesIn(folder: string, recursive = false): Promise<string[]> {
  return readdir(folder, { recursive }).catch(() => []);
}

/** Whether a revision is a full commit hash, whose meaning never changes. */
function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}
