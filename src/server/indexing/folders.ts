/** The folders that an index can be brought up to date with: those that were named for it, and those that its images lie in. */

import { hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { isAbsolute, posix } from 'node:path';
import { openIndex } from '../../indexing/index.ts';
import { indexPath } from '../../pictures/index.ts';

export interface KnownFolder {
  /** Stands for it in requests, which never name paths. */
  readonly id: string;
  readonly path: string;
  readonly isThere: boolean;
}

/** Folders of an index that are looked at, those with most images first. */
const mostFolders = 1000;
/** Folders that are offered besides the named ones. */
const mostOffered = 50;

/** @param named by whoever runs the server */
export async function knownFolders(uri: string, named: readonly string[]): Promise<KnownFolder[]> {
  const covered = await coveredFolders(uri);
  const given = named.map((folder) => indexPath(folder));
  const others = covered.filter((path) => !given.some((folder) => isWithin(path, folder)));
  const paths = [...new Set([...given, ...others.slice(0, mostOffered)])];
  return await Promise.all(
    paths.map(async (path) => ({ id: idOf(path), path, isThere: await isThere(path) })),
  );
}

/** The outermost folders and shards of an index's images. Names of ready embeddings are in none. */
async function coveredFolders(uri: string): Promise<string[]> {
  const index = await openIndex(uri);
  try {
    const { values } = await index.values('folder', { limit: mostFolders });
    // A member's folder begins with its shard.
    const paths = values.map(({ value }) => String(value).replace(/(?<=\.tar)!(?:\/.*)?$/i, ''));
    const folders = [...new Set(paths)].filter((path) => isAbsolute(path)).sort();
    return folders.filter((path) => !folders.some((other) => other !== path && isWithin(path, other)));
  } finally {
    await index.close();
  }
}

/** Whether indexing `folder` takes what lies at `path` along. Not the members of a shard: shards are named themselves. */
function isWithin(path: string, folder: string): boolean {
  if (path === folder) return true;
  const isShard = /\.tar$/i.test(path);
  return !isShard && path.startsWith(folder.endsWith('/') ? folder : `${folder}${posix.sep}`);
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function idOf(path: string): string {
  return hash('sha256', path).slice(0, 16);
}
