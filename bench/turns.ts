/** Measures competitors in turns, A B C A B C …, so that a machine whose speed drifts treats them alike. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** One measured pass, in seconds. */
export type Side = () => Promise<number>;

export interface Timing {
  /** Seconds of each round. */
  readonly seconds: readonly number[];
  readonly median: number;
}

/** Runs every side once in each round, after some rounds that are not counted. */
export async function takeTurns<Name extends string>(
  sides: Readonly<Record<Name, Side>>,
  rounds: number,
  uncounted = 1,
): Promise<Record<Name, Timing>> {
  const seconds = new Map<string, number[]>();
  for (let round = -uncounted; round < rounds; round++) {
    for (const [name, side] of Object.entries<Side>(sides)) {
      const time = await side();
      if (round >= 0) seconds.set(name, [...(seconds.get(name) ?? []), time]);
    }
  }
  const timings = [...seconds].map(([name, all]) => [name, { seconds: all, median: median(all) }]);
  return Object.fromEntries(timings);
}

/** How many times as fast `a` is as `b`: the median of the rounds' own ratios. */
export function speedup(a: Timing, b: Timing): number {
  return median(a.seconds.map((time, round) => b.seconds[round]! / time));
}

/** Work that was timed. */
export interface Work {
  readonly timing: Timing;
  /** Floating-point operations of one pass. */
  readonly flops: number;
}

/** The arithmetic rate of `a` as a part of that of `b`: the median of the rounds' own ratios. */
export function relativeRate(a: Work, b: Work): number {
  return (speedup(a.timing, b.timing) * a.flops) / b.flops;
}

/** Billions of floating-point operations a second, in the median round. */
export function gflopsOf({ timing, flops }: Work): number {
  return flops / timing.median / 1e9;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

export interface PeerAnswer {
  readonly seconds: number;
  /** PyTorch's version. */
  readonly torch: string;
  /** How near its results are to PyTorch's own in float32: the least cosine of a row, if the peer has a precision. */
  readonly cosine: number;
  /** The largest difference, by the largest entry. */
  readonly largest_error: number;
}

/** A PyTorch process that measures the same work when told to (bench/peers). Python is $PYTHON or python3. */
export class Peer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(script: string, options: readonly string[]) {
    this.#child = spawn(process.env.PYTHON ?? 'python3', [
      join(import.meta.dirname, 'peers', script),
      ...options,
    ]);
    this.#child.stderr.pipe(process.stderr);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Starts the peer and waits until it has warmed up. */
  static async start(script: string, options: readonly string[]): Promise<Peer> {
    const peer = new Peer(script, options);
    const { value } = await peer.#lines.next();
    if (value !== 'ready') throw new Error(`${script}: expected "ready", found ${value ?? 'its end'}`);
    return peer;
  }

  /** One measured pass, in seconds, and what the peer says of itself. */
  async run(): Promise<PeerAnswer> {
    this.#child.stdin.write('run\n');
    const { value } = await this.#lines.next();
    if (value === undefined) throw new Error('the peer ended before it answered');
    return JSON.parse(value);
  }

  async stop(): Promise<void> {
    this.#child.stdin.end('exit\n');
    await once(this.#child, 'exit');
  }
}
