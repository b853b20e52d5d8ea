/** Locks between processes, waited for or refused at once; one that a process left behind when it ended is broken. */

import { randomUUID } from 'node:crypto';
import {
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LincirError, quoted } from './errors.ts';
import { asLincirError } from './files.ts';

/** Who holds a lock. */
interface Owner {
  readonly pid: number;
  /** When the process began, in the system's own terms; empty where it does not tell. */
  readonly birth: string;
  /** What process ids are valid in: the host's name, its boot, and its space of process ids. */
  readonly place: string;
}

/** Milliseconds between two looks at a lock that another process holds. */
const patience = 200;

/**
 * Takes the lock `path`, or refuses at once. A lock is a folder with one file, whose name is its owner's alone. It is
 * taken by renaming a complete folder to `path`, which works only where nothing or an empty folder stands, and broken
 * by removing that one file: nobody can remove another lock than the one he looked at. So of any number of processes
 * that find a lock left behind exactly one gets it.
 *
 * A lock is left behind when its process on this machine is gone. Where that cannot be known (another machine or
 * container; a system without /proc, where another process may have got the same id), it is when its owner gave no sign
 * of life for `lifetime`. An owner that only slept so long has lost it and learns so from `isOurs`.
 * @param lifetime milliseconds. A timer gives five signs of life in it, so it must exceed the longest time that the
 *   owner blocks its event loop by a quarter, and the difference between the machines' clocks.
 * @throws LincirError 'io' naming the folder that `path` lies in and who holds the lock, or why it cannot be written.
 */
export async function takeLock(path: string, lifetime = 180_000): Promise<Lock> {
  const taken = await take(path, lifetime);
  if (taken instanceof Lock) return taken;
  const host = taken.place.split(' ', 1)[0];
  throw new LincirError('io', {
    subject: dirname(path),
    expected: 'a folder that no other process is at work in',
    found: Number.isNaN(taken.pid) ? `the lock ${path} of one` : `process ${taken.pid} on ${quoted(host)}`,
    todo: `wait for its end; if its machine is gone, the folder is free ${lifetime / 1000} s after its last sign of life`,
  });
}

/**
 * Runs `work` while no other process holds the lock `path`, waiting for it as long as it takes.
 * @throws an AbortError, LincirError 'io', and whatever `work` throws.
 */
export async function exclusively<Result>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  await mkdir(dirname(path), { recursive: true });
  let taken = await take(path, 10_000);
  while (!(taken instanceof Lock)) {
    await pause(patience, undefined, { signal });
    taken = await take(path, 10_000);
  }
  try {
    return await work();
  } finally {
    await taken.release();
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
   * Whether nobody has broken the lock. It is a sign of life as well: if true, nobody will break it within its
   * lifetime. Throws 'io' when that cannot be told.
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

  /** Harmless to whoever holds the lock if it is no longer ours. */
  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    try {
      await rm(this.#file, { force: true });
    } catch (error) {
      throw asLincirError(error, this.#path, 'write');
    }
    await rmdir(this.#path).catch(() => {}); // It may be another's by now. An empty folder is no lock.
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

/** A lock of this process at `path`, if nobody else was quicker. */
async function place(path: string, lifetime: number): Promise<Lock | undefined> {
  const aside = join(dirname(path), `.lincir-${randomUUID()}.tmp`);
  const name = `owner-${randomUUID()}`;
  try {
    await mkdir(aside);
    const owner = [process.pid, await birthOf(process.pid), await here()];
    await writeFile(join(aside, name), owner.join('\n'));
    await rename(aside, path);
    return new Lock(path, name, lifetime);
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => {});
    const occupied = ['ENOTEMPTY', 'EEXIST', ...(process.platform === 'win32' ? ['EPERM', 'EACCES'] : [])];
    if (occupied.includes(codeOf(error))) return undefined;
    throw error;
  }
}

/** Who holds the lock. A lock left behind is broken here. */
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
  if (names) await rmdir(path).catch(() => {}); // Windows renames to no folder, empty or not.
  return undefined;
}

/** Undefined if that cannot be told from here. */
async function isRunning({ pid, birth, place }: Owner): Promise<boolean | undefined> {
  if (place !== (await here())) return undefined;
  const found = await birthOf(pid);
  if (found === undefined) return false;
  return found === '' || birth === '' ? undefined : found === birth;
}

/** When a process began, in clock ticks since the system did; empty if that is not told, undefined if it has ended. */
async function birthOf(pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0); // Signal 0 only asks.
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return undefined;
  }
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // proc(5): behind the program's name, in parentheses, come the third field, the state, and so on to the 22nd.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : (fields[22 - 3] ?? '');
}

/** Containers may share a host's name, and so may machines that share a disk. */
async function here(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const processes = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${hostname()} ${boot.trim()} ${processes}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
}

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
