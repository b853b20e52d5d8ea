/** Locks between processes: waited for, or refused at once. A lock whose process has ended is broken. */

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errorCode, LincirError, quoted } from '../core/index.ts';
import { asideIn } from './asides.ts';
import { isRunning, type Owner, thisProcess } from './owner.ts';
import { asLincirError } from './refusals.ts';
import { makeFolder } from './write-file.ts';

/** Milliseconds without a sign of life after which a lock of another machine is abandoned. */
export const lockLifetime = 180_000;
/** Milliseconds between checks of a lock that another process holds. */
const patience = 200;

/**
 * Takes the lock `path`, or refuses at once. A lock is a folder with one file, whose name is its owner's alone. It is
 * taken by renaming a complete folder to `path`, which works only where nothing or an empty folder stands, and broken
 * by removing that one file: nobody can remove a lock other than the one they looked at. So if any number of processes
 * find an abandoned lock, exactly one gets it.
 *
 * A lock is abandoned when its process on this machine is gone. Where that cannot be known (another machine or
 * container; a system without /proc, where another process may have got the same id), it is abandoned when its owner
 * gave no sign of life for `lifetime`. An owner that only slept so long has lost it, and learns so from `isOurs`.
 * @param lifetime milliseconds. A timer gives five signs of life in it, so it must exceed the longest time that the
 *   owner blocks its event loop by a quarter, and the difference between the machines' clocks.
 * @throws LincirError 'io' naming the folder that `path` lies in and who holds the lock, or why it cannot be written.
 */
export async function takeLock(path: string, lifetime = lockLifetime): Promise<Lock> {
  const taken = await take(path, lifetime);
  if (taken instanceof Lock) return taken;
  const host = taken.place.split(' ', 1)[0];
  throw new LincirError('io', {
    subject: dirname(path),
    expected: 'a folder that no other process works in',
    found: Number.isNaN(taken.pid) ? `the lock ${path} of one` : `process ${taken.pid} on ${quoted(host)}`,
    todo: `wait for its end; if its machine is gone, the folder is free ${lifetime / 1000} s after its last sign of life`,
  });
}

/**
 * Waits for the lock `path` as long as it takes, then runs `work` while holding it.
 * @param lifetime as of `takeLock`
 * @throws an AbortError, LincirError 'io', and whatever `work` throws.
 */
export async function exclusively<Result>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
  lifetime = 10_000,
): Promise<Result> {
  await makeFolder(dirname(path));
  let taken = await take(path, lifetime);
  while (!(taken instanceof Lock)) {
    await pause(patience, undefined, { signal });
    taken = await take(path, lifetime);
  }
  try {
    return await work();
  } finally {
    await taken.release();
  }
}

/**
 * Makes a folder if it is missing, and runs `work` while no other process writes there. A second process is refused at
 * once. An empty folder is removed afterwards. Throws as `takeLock` does, and whatever `work` throws.
 */
export async function aloneIn<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  await makeFolder(folder);
  const lock = await takeLock(join(folder, '.lock'));
  try {
    return await work();
  } finally {
    await lock.release();
    await rmdir(folder).catch(() => {});
  }
}

/** A lock that this process has taken. */
export class Lock {
  readonly #path: string;
  /** The owner's file: while it exists, the lock is ours. */
  readonly #file: string;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(path: string, name: string, lifetime: number) {
    this.#path = path;
    this.#file = join(path, name);
    this.#heartbeat = setInterval(() => this.isOurs().catch(() => {}), lifetime / 5).unref();
  }

  /**
   * Whether nobody has broken the lock. This is also a sign of life: if true, nobody will break it within its
   * lifetime. Throws 'io' when that cannot be known.
   */
  async isOurs(): Promise<boolean> {
    const now = new Date();
    try {
      await utimes(this.#file, now, now);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw asLincirError(error, this.#path, 'write');
    }
  }

  /** If the lock is no longer ours, this does not affect its new owner. */
  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    try {
      await rm(this.#file, { force: true });
    } catch (error) {
      throw asLincirError(error, this.#path, 'write');
    }
    await rmdir(this.#path).catch(() => {}); // It may belong to another process by now. An empty folder is not a lock.
  }
}

/** The lock, or who holds it. */
async function take(path: string, lifetime: number): Promise<Lock | Owner> {
  try {
    for (;;) {
      const owner = (await presentOwner(path, lifetime)) ?? (await place(path, lifetime));
      if (owner) return owner;
    }
  } catch (error) {
    throw asLincirError(error, path, 'write');
  }
}

/** Takes the lock at `path` for this process, unless another was quicker. */
async function place(path: string, lifetime: number): Promise<Lock | undefined> {
  const aside = await asideIn(dirname(path));
  const name = `owner-${randomUUID()}`;
  try {
    await mkdir(aside);
    const { pid, birth, place } = await thisProcess();
    await writeFile(join(aside, name), [pid, birth, place].join('\n'));
    await rename(aside, path);
    return new Lock(path, name, lifetime);
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => {});
    const occupied = ['ENOTEMPTY', 'EEXIST', ...(process.platform === 'win32' ? ['EPERM', 'EACCES'] : [])];
    if (occupied.includes(errorCode(error))) return undefined;
    throw error;
  }
}

/** Who holds the lock. An abandoned lock is broken here. */
async function presentOwner(path: string, lifetime: number): Promise<Owner | undefined> {
  const names = await readdir(path).catch(unlessMissing);
  for (const name of names ?? []) {
    const file = join(path, name);
    const found = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch(unlessMissing);
    if (found === undefined) continue; // It has just been released.
    const [pid, birth = '', place = ''] = found[0].split('\n');
    const owner = { pid: pid && place ? Number(pid) : Number.NaN, birth, place };
    const isAlive = (await isRunning(owner)) ?? Date.now() - found[1].mtimeMs <= lifetime;
    if (isAlive) return owner;
    await rm(file, { force: true });
  }
  if (names) await rmdir(path).catch(() => {}); // Windows cannot rename over a folder, even an empty one.
  return undefined;
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(errorCode(error));
}

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
