/** What reading a file may come to: values or a clear refusal, within bounds of time and memory. */

import { LincirError } from '../../src/core/index.ts';
import type { Target } from './target.ts';

/** Milliseconds of the processor's time, for one input. */
const timeLimit = 10_000;
/** By the clock: a machine that many share gives a part of its time. */
export const patience = 3 * timeLimit;
/** Of memory, beside four times the file. */
const fewBytes = 2 ** 28;
const messageLimit = 1000;

let peak = 0;

/** Why reading these bytes went wrong, or undefined: to refuse them with a LincirError is right. */
export async function judge(target: Target, bytes: Uint8Array): Promise<string | undefined> {
  const begin = process.cpuUsage();
  const before = process.memoryUsage.rss();
  let problem: string | undefined;
  try {
    await target.read(bytes);
  } catch (error) {
    problem = refusalProblem(error);
  }
  const { user, system } = process.cpuUsage(begin);
  const milliseconds = (user + system) / 1000;
  if (milliseconds > timeLimit) return `took ${Math.round(milliseconds)} ms`;
  const highest = 1024 * process.resourceUsage().maxRSS;
  const taken = highest > peak ? highest - before : 0; // below an earlier peak nobody can tell
  peak = highest;
  return taken > 4 * bytes.length + fewBytes ? `took ${Math.round(taken / 2 ** 20)} MiB` : problem;
}

function refusalProblem(error: unknown): string | undefined {
  if (!(error instanceof LincirError)) {
    const stack = error instanceof Error ? error.stack : undefined;
    return `no LincirError: ${(stack ?? String(error)).slice(0, 600)}`;
  }
  const { length } = error.message;
  return length > messageLimit
    ? `a message of ${length} characters: ${error.message.slice(0, 300)}`
    : undefined;
}
