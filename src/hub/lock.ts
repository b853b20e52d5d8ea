/** A lock between processes that share the cache, so that one waits while another downloads the same file. */

import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds after which a lock that its owner no longer touches is free; the owner touches it five times as often. */
const lifetime = 10_000;

/** Milliseconds between two looks at a lock that another process holds. */
const patience = 200;

/**
 * Runs `work` while no other process holds the lock file `path`. Node has no lock that ends with its process, so one left
 * behind is broken when its process is gone or it has grown old; two processes that break it at the same moment may then
 * both work. The work must be right even so: the lock only saves it from being done twice.
 */
export async function exclusively<Result>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  await mkdir(dirname(path), { recursive: true });
  while (!(await take(path))) {
    if (await isAbandoned(path)) await rm(path, { force: true });
    else await pause(patience, undefined, { signal });
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, lifetime / 5);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await writeFile(path, `${process.pid} ${hostname()}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const [owner, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const [, pid, host] = /^(\d+) (.+)$/s.exec(owner) ?? [];
    return Date.now() - mtimeMs > lifetime || (host === hostname() && !isRunning(Number(pid)));
  } catch {
    return false; // Its owner has just released it.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0); // Signal 0 only asks.
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
