/** Drops records of sources that no longer say anything about an index. */

import { chunks } from '../../core/index.ts';
import { presence } from '../../pictures/index.ts';
import type { SourceRecord, VectorStore } from '../../store/index.ts';
import { current, pathOfSource } from './status.ts';

/** Sources that are looked for at a time. */
const atATime = 16;

/**
 * Drops the records of sources that no longer exist, of a folder's division among another number of workers than the last, and
 * of what no worker has done, but a run without shares has. One writer may.
 * @param isGoneThrough whether that run has gone through all of a source
 * @param isFound whether that run has found it
 */
export async function dropStaleRecords(
  store: VectorStore,
  isGoneThrough: (path: string) => boolean,
  isFound: (path: string) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  const records = await recordsOf(store);
  if (records.length === 0) return;
  const isThere = presence(signal);
  const kept = new Set(current(records));
  const isStale = async (record: SourceRecord): Promise<boolean> => {
    const path = pathOfSource(record);
    if (!kept.has(record) || (record.state !== 'done' && isGoneThrough(path))) return true;
    return !(isFound(path) || (await isThere(path)));
  };
  for await (const some of chunks(records, atATime)) {
    const stale = await Promise.all(some.map(isStale));
    await store.removeSources(some.filter((_, at) => stale[at]).map(({ source }) => source));
  }
}

/** The records of sources with one of these paths: of all parts of a folder. */
export async function recordsOf(store: VectorStore, paths?: readonly string[]): Promise<SourceRecord[]> {
  const wanted = paths && new Set(paths.map(withoutSlash));
  const records = (await Array.fromAsync(store.sources())).flat();
  return records.filter((record) => wanted?.has(withoutSlash(pathOfSource(record))) ?? true);
}

/** A prefix in object storage ends with one. */
function withoutSlash(path: string): string {
  return path.replace(/\/$/, '');
}
