/** Processes as owners of locks and unfinished files. */

import { hash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { errorCode } from '../core/index.ts';

/** Identifies a process among all that ever were, as far as the system allows. */
export interface Owner {
  readonly pid: number;
  /** When the process began, in the system's own unit; empty if it is unknown. */
  readonly birth: string;
  /** The scope of process ids: the host's name, its boot, and its namespace of process ids. */
  readonly place: string;
}

let own: Promise<Owner> | undefined;

/** This process. */
export function thisProcess(): Promise<Owner> {
  own ??= Promise.all([birthOf(process.pid), here()]).then(([birth = '', place]) => ({
    ...{ pid: process.pid, birth, place },
  }));
  return own;
}

/**
 * Whether a process is running, so that what it owns must be left alone. Undefined if that is unknown: it belongs to
 * another machine or container, or the system cannot tell it from a later one with the same id.
 */
export async function isRunning({ pid, birth, place }: Owner): Promise<boolean | undefined> {
  const { place: ours } = await thisProcess();
  if (place !== ours && place !== shortPlace(ours)) return undefined;
  const found = await birthOf(pid);
  if (found === undefined) return false;
  return found === '' || birth === '' ? undefined : found === birth;
}

/** A scope in few letters, for names of files. */
export function shortPlace(place: string): string {
  return hash('sha256', place).slice(0, 16);
}

/** When a process began, in clock ticks since the boot; empty if unknown, undefined if it has ended. */
async function birthOf(pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0); // Signal 0 only checks.
  } catch (error) {
    if (errorCode(error) !== 'EPERM') return undefined;
  }
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // proc(5): after the program's name in parentheses come the third field, the state, and so on to the 22nd.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : (fields[22 - 3] ?? '');
}

/** Containers may share a host's name, and so may machines that share a disk. */
async function here(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const processes = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${hostname()} ${boot.trim()} ${processes}`;
}
