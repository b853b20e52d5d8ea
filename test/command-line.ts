/** The command line as a user meets it: real processes in a folder of their own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const main = join(import.meta.dirname, '../src/cli/main.ts');

export interface CommandOptions {
  /** Where it runs. */
  readonly folder: string;
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Starts a command. */
export function start(args: readonly string[], { folder, environment = {} }: CommandOptions): ChildProcess {
  return spawn(process.execPath, [main, ...args], { cwd: folder, env: { ...process.env, ...environment } });
}

/** Runs a command to its end. */
export async function lincir(args: readonly string[], options: CommandOptions) {
  const child = start(args, options);
  child.stdin!.on('error', () => {}); // It may end before it has read all.
  child.stdin!.end(options.input ?? '');
  const [stdout, stderr] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'close'),
  ]);
  return { stdout, stderr, code: child.exitCode };
}
