/** Rounds of kills: a command is ended again and again in one folder, then run to its end, and compared with a calm run. */

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { lincir, start } from '../command-line.ts';
import type { Findings, KilledCommand } from './commands.ts';

/** How a command goes when nothing happens to it. */
export interface CalmRun {
  readonly command: KilledCommand;
  /** The shortest that its work took so far: in time of the processor, where the system tells it. */
  milliseconds: number;
  readonly result: Findings;
}

/** What came of a round. */
export interface Round {
  /** How many times the command was ended before its end. */
  readonly kills: number;
  /** Names of what was there after one end, and not after a later one, or was another. */
  readonly lost: readonly string[];
  /** Differences of what is left from what a calm run leaves. */
  readonly different: readonly string[];
  /** What no finished command leaves. */
  readonly litter: readonly string[];
}

/** How a process is ended. Those in order give the exit code that stands beside them. */
const ends = [
  ['SIGKILL', undefined],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGINT', 130],
] as const;
/** Of ten kills, so many cannot be handled by the process. */
const hardOfTen = 7;

/** Runs a command to its end in a new folder of the world. */
export async function calmRun(world: string, command: KilledCommand): Promise<CalmRun> {
  const folder = await newFolder(world, command, 'calm');
  const child = start((await command.next(folder))!, { folder });
  child.stdout!.resume();
  const told = text(child.stderr!);
  const milliseconds = await working(child, Number.POSITIVE_INFINITY);
  assert.equal(child.exitCode, 0, `${command.name}: ${await told}`);
  assert.deepEqual(await litterIn(folder), [], `${command.name}: litter of a calm run`);
  return { command, milliseconds, result: await command.result(folder) };
}

/**
 * @param random numbers from 0 to 1
 * @param most times that the command is ended
 */
export async function roundOfKills(
  world: string,
  calm: CalmRun,
  name: string,
  random: () => number,
  most = 6,
): Promise<Round> {
  const { command } = calm;
  const folder = await newFolder(world, command, name);
  const lost = new Set<string>();
  let kills = 0;
  let before: Findings = new Map();
  const compare = async () => {
    const now = await command.kept(folder);
    if (now === undefined) return;
    for (const [key, value] of before) if (now.get(key) !== value) lost.add(key);
    before = now;
  };
  for (let attempt = 0; attempt < most; attempt += 1) {
    const args = await command.next(folder);
    if (args === undefined) break;
    const isHard = random() * 10 < hardOfTen;
    const [signal, code] = ends[isHard ? 0 : 1 + Math.floor(random() * 3)]!;
    const wait = calm.milliseconds * (0.25 + 0.75 * random());
    const isTwice = !isHard && random() < 0.3;
    const ended = await killed(args, folder, signal, wait, isTwice);
    if (ended.isKilled) kills += 1;
    const inOrder = [0, code].includes(ended.code ?? undefined) || ended.signal === signal;
    if (!inOrder || /\n\s+at /.test(ended.stderr)) {
      throw new Error(`${command.name}, ${signal}: exit ${ended.code ?? ended.signal}: ${ended.stderr}`);
    }
    await compare();
    if (ended.isKilled) continue;
    // Work that goes on where it was is shorter, and says nothing of the whole.
    if (attempt === 0) calm.milliseconds = Math.min(calm.milliseconds, ended.worked);
    break;
  }
  await toEnd(command, folder);
  await compare();
  const litter = await litterIn(folder);
  const different = differences(calm.result, await command.result(folder));
  if (lost.size + different.length + litter.length === 0) await rm(folder, { recursive: true });
  return { kills, lost: [...lost], different, litter };
}

/** Names of what differs. */
export function differences(expected: Findings, found: Findings): string[] {
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].filter((name) => expected.get(name) !== found.get(name));
}

/** Files beside their places, work that was begun, and locks. */
export async function litterIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.filter((name) => /\.tmp$|\.partial$|\.lock$/.test(name));
}

export async function newFolder(world: string, command: KilledCommand, name: string): Promise<string> {
  const folder = join(world, `${command.name.replace(' ', '-')}-${name}`);
  await mkdir(folder);
  await command.prepare?.(folder);
  return folder;
}

export async function toEnd(command: KilledCommand, folder: string): Promise<void> {
  const args = await command.next(folder);
  if (args === undefined) return;
  const { code, stderr } = await lincir(args, { folder });
  if (code !== 0) throw new Error(`${command.name} in ${folder}: exit ${code}: ${stderr}`);
}

/** Waits until a process has worked so long or has ended. Returns how long it has, in milliseconds. */
export async function working(child: ChildProcess, milliseconds: number): Promise<number> {
  const begin = performance.now();
  let isOpen = true;
  const closed = once(child, 'close').then(() => {
    isOpen = false;
  });
  let worked = 0;
  while (isOpen && worked < milliseconds) {
    await Promise.race([closed, pause(5)]);
    const status = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => undefined);
    // proc(5): behind the name, in parentheses, the 14th and 15th fields are times in ticks of 10 ms.
    const fields = status?.slice(status.lastIndexOf(')') + 2).split(' ');
    if (fields) worked = Math.max(worked, 10 * (Number(fields[14 - 3]) + Number(fields[15 - 3])));
    else if (process.platform !== 'linux') worked = performance.now() - begin;
  }
  if (isOpen) await Promise.race([closed, pause(10 * Math.random())]); // between two ticks
  return worked;
}

async function killed(
  args: readonly string[],
  folder: string,
  signal: NodeJS.Signals,
  wait: number,
  isTwice: boolean,
) {
  const child = start(args, { folder });
  child.stdin!.end();
  child.stdout!.resume();
  const stderr = text(child.stderr!);
  const closed = once(child, 'close');
  const worked = await working(child, wait);
  const isKilled = child.exitCode === null;
  child.kill(signal);
  if (isTwice) {
    await Promise.race([closed, pause(50)]);
    child.kill(signal);
  }
  await closed;
  return { isKilled, worked, code: child.exitCode, signal: child.signalCode, stderr: await stderr };
}
