/** Keeps an index up to date with its folders: brings it up to date, waits for changes, and does it again. */

import { stat, statfs } from 'node:fs/promises';
import { basename, resolve, sep } from 'node:path';
import type { Clip } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import { FolderWatch } from '../files/index.ts';
import { exclusion, looksOf } from '../pictures/index.ts';
import { backendOf } from '../store/index.ts';
import { openIndex } from './image-index.ts';
import { PendingChanges } from './pending-changes.ts';
import type { UpdateEvent, UpdateOptions } from './update.ts';

export interface WatchOptions
  extends Omit<
    UpdateOptions,
    'removeMissing' | 'allowAbsent' | 'paths' | 'knows' | 'idsOf' | 'onFolder' | 'onNamed'
  > {
  /** Milliseconds without further changes before an update begins. Default: 2,000. */
  readonly quietMilliseconds?: number;
  /** Milliseconds after which it begins although changes go on. Default: 60,000. */
  readonly longestWait?: number;
  /** Seconds after which everything is looked at, even if the system reports no change. Default: 3,600; 60 where it does not report all. */
  readonly pollSeconds?: number;
}

export type WatchEvent =
  | UpdateEvent
  /** The index is up to date, but for problems. The next update begins after changes, or so many seconds. */
  | {
      readonly kind: 'waiting';
      /** Folders whose changes the system reports. */
      readonly folders: number;
      readonly seconds: number;
      readonly problems: readonly LincirError[];
    };

/** Seconds between looks: where nothing is wrong, and where the system does not report all, or something is. */
const looks = { calm: 3600, unreported: 60 } as const;
/** A long look is not repeated all the time: the next one waits so many times as long. */
const restFactor = 10;
/** Milliseconds after which the model's memory is freed. */
const idleMilliseconds = 300_000;
/** Types of file systems that do not report what other machines do: NFS, SMB, 9p, and FUSE. */
const remoteTypes = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x65735546]);

/**
 * Brings an index up to date with the named sources, again after every change of them, until the signal aborts. Changes
 * that come together are one update. Between updates, the index is closed: other processes may write it. A folder that is
 * gone, another writer and the like are told as `problems`, and looked at again.
 * @param load loads the model of the index, or of a new one. It is disposed of here.
 * @throws LincirError as `openIndex`, `updateIndex` and `load` do, in the first update; the signal's reason during one
 */
export async function* watchIndex(
  uri: string,
  load: () => Promise<Clip>,
  { quietMilliseconds = 2000, longestWait = 60_000, pollSeconds, ...options }: WatchOptions,
): AsyncGenerator<WatchEvent, void, void> {
  const { images = [], exclude, signal } = options;
  const { location } = await backendOf(uri);
  const changes = new PendingChanges(quietMilliseconds, longestWait);
  const folders = new FolderWatch(async (path, kind) => {
    if (await isOfUse(path, kind === 'rename')) changes.note();
  });
  const isOfUse = concerning([...images, ...(options.lists ?? [])], location, exclude, folders);
  let clip: Clip | undefined;
  const unload = async () => {
    await clip?.dispose();
    clip = undefined;
  };
  try {
    for (let isFirst = true; ; isFirst = false) {
      const problems: LincirError[] = [];
      let begun = performance.now();
      let looked = begun;
      changes.begin();
      folders.beginRound();
      try {
        clip ??= await load();
        const index = await openIndex(uri, { access: 'write', clip });
        begun = performance.now();
        try {
          const onFolder = folders.see.bind(folders);
          const onNamed = folders.seeNamed.bind(folders);
          const work = index.add(clip, { ...options, allowAbsent: true, onFolder, onNamed });
          for await (const event of work) {
            if (event.kind === 'begin') looked = performance.now();
            yield event;
            if (event.kind === 'end' && event.away) {
              problems.push(event.away);
              break; // It would be thrown.
            }
          }
          folders.endRound();
        } finally {
          await index.close();
        }
      } catch (error) {
        if (isFirst || signal?.aborted || !(error instanceof LincirError)) throw error;
        problems.push(error);
        await unload(); // The index may have another model now.
      }
      const isAllReported = folders.failure === undefined && !(await isAnyRemote(images));
      const isCalm = problems.length === 0 && isAllReported;
      const looking = Math.max(0, looked - begun);
      const wanted = pollSeconds ?? (isCalm ? looks.calm : looks.unreported);
      const seconds = Math.max(wanted, (looking * restFactor) / 1000);
      if (folders.failure) problems.push(folders.failure);
      yield { kind: 'waiting', folders: folders.size, seconds, problems };
      const until = performance.now() + seconds * 1000;
      await changes.wait(Math.min(until, performance.now() + idleMilliseconds), looking, signal);
      if (!changes.isDue && performance.now() < until) {
        await unload();
        await changes.wait(until, looking, signal);
      }
      if (signal?.aborted) return;
    }
  } finally {
    folders.close();
    await unload();
  }
}

/** Tells which changes may concern an index: of images, folders, and what was named; not of the index itself. */
function concerning(
  named: readonly string[],
  location: string,
  exclude: readonly string[] | undefined,
  folders: FolderWatch,
) {
  const own = resolve(location) + sep;
  const sources = new Set(named.map((name) => resolve(name)));
  const isLeftOut = exclusion(exclude);
  return async (path: string, isRenamed: boolean): Promise<boolean> => {
    if (sources.has(path)) return true;
    if (`${path}${sep}`.startsWith(own) || isLeftOut(basename(path))) return false;
    const looks = looksOf(basename(path));
    if (looks !== 'other') return looks !== 'left out';
    // `2024.summer` is no image, but may be a folder, or may have been one.
    if (!isRenamed || folders.has(path)) return isRenamed;
    return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  };
}

async function isAnyRemote(names: readonly string[]): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const types = await Promise.all(
    names.map((name) =>
      statfs(name).then(
        ({ type }) => type,
        () => 0,
      ),
    ),
  );
  return types.some((type) => remoteTypes.has(type >>> 0));
}
