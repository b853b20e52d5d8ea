/** A lane's batches and refusals, with runners that wait until they are told. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Lane, type Runner } from './lane.ts';
import type { ServiceEvent } from './options.ts';

interface Run {
  readonly batch: readonly number[];
  /** Ends it: each task's result is its double. A task of -1 fails alone. */
  readonly finish: (milliseconds?: number) => Promise<void>;
}

function laneOf({ capacity = 100, largestBatch = 4, runners = 1 } = {}) {
  const runs: Run[] = [];
  const events: ServiceEvent[] = [];
  const runner: Runner<number, number> = (batch) => {
    const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<Runner<number, number>>>>();
    const finish = async (milliseconds = 1) => {
      const outcomes = batch.map((work) =>
        work < 0 ? { error: new Error(`${work} is bad`) } : { value: 2 * work },
      );
      resolve({ outcomes, milliseconds });
      await turn();
    };
    runs.push({ batch, finish });
    return promise;
  };
  const lane = new Lane({
    ...({ name: 'text', capacity, largestBatch } as const),
    runners: Array.from({ length: runners }, () => runner),
    onEvent: (event) => events.push(event),
  });
  const dropped = () => events.flatMap((event) => (event.kind === 'dropped' ? [event.reason] : []));
  return { lane, runs, dropped, batches: () => runs.map(({ batch }) => batch) };
}

function scope(milliseconds = 60_000, signal = new AbortController().signal) {
  return { signal, deadline: performance.now() + milliseconds };
}

test('what waits when a runner is free is one batch', async () => {
  const { lane, runs, batches } = laneOf();
  const first = lane.run(1, scope());
  await turn();
  const others = [2, 3, 4, 5, 6].map((work) => lane.run(work, scope()));
  await turn();
  assert.deepEqual(batches(), [[1]]);
  await runs[0]!.finish();
  assert.deepEqual(batches(), [[1], [2, 3, 4, 5]]);
  await runs[1]!.finish();
  await runs[2]!.finish();
  assert.deepEqual(await Promise.all([first, ...others]), [2, 4, 6, 8, 10, 12]);
  assert.deepEqual(batches().at(-1), [6]);
});

test('runners share what waits', async () => {
  const { lane, runs, batches } = laneOf({ runners: 2 });
  const all = [1, 2, 3, 4].map((work) => lane.run(work, scope()));
  await turn();
  assert.deepEqual(batches(), [
    [1, 2],
    [3, 4],
  ]);
  for (const { finish } of runs) await finish();
  await Promise.all(all);
});

test('a task that fails fails alone', async () => {
  const { lane, runs } = laneOf();
  const all = Promise.allSettled([1, -1, 3].map((work) => lane.run(work, scope())));
  await turn();
  await runs[0]!.finish();
  assert.deepEqual(
    (await all).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : `${outcome.reason}`)),
    [2, 'Error: -1 is bad', 6],
  );
});

test('refuses at once when the queue is full, or when it would be too late', async () => {
  const { lane, runs, dropped } = laneOf({ capacity: 2, largestBatch: 1 });
  const one = lane.run(1, scope());
  await turn();
  await runs[0]!.finish(3000);
  await one;
  const two = lane.run(2, scope());
  await turn();
  const refused = (work: () => Promise<unknown>, retryAfter: number) =>
    assert.throws(work, (error: Error & { code: string; problem: { retryAfter: number } }) => {
      assert.deepEqual([error.code, error.problem.retryAfter], ['busy', retryAfter]);
      return true;
    });
  // The one that runs takes half of 3 seconds yet, and this one 3.
  refused(() => lane.run(3, scope(1000)), 5);
  const waiting = [lane.run(4, scope()), lane.run(5, scope())];
  refused(() => lane.run(6, scope()), 11);
  assert.deepEqual(dropped(), ['late', 'full']);
  for (let at = 1; at <= 3; at += 1) await runs[at]!.finish();
  assert.deepEqual(await Promise.all([two, ...waiting]), [4, 8, 10]);
  // With nothing else to do, even one that seems too slow is tried.
  const last = lane.run(7, scope(10));
  await turn();
  await runs[4]!.finish();
  assert.equal(await last, 14);
});

test('drops what has waited too long, and what nobody waits for', async () => {
  const { lane, runs, batches, dropped } = laneOf();
  const first = lane.run(1, scope());
  await turn();
  const late = lane.run(2, scope(0.5));
  const gone = new AbortController();
  const left = lane.run(3, scope(60_000, gone.signal));
  const kept = lane.run(4, scope());
  const outcomes = Promise.allSettled([late, left]);
  gone.abort(new Error('the client has gone'));
  const begin = performance.now();
  while (performance.now() - begin < 2);
  await runs[0]!.finish();
  assert.deepEqual(batches(), [[1], [4]]);
  await runs[1]!.finish();
  assert.deepEqual(await Promise.all([first, kept]), [2, 8]);
  const reasons = (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason);
  assert.equal(reasons[0].code, 'busy');
  assert.equal(reasons[1].message, 'the client has gone');
  assert.deepEqual(dropped(), ['gone', 'late']);
  assert.throws(() => lane.run(5, scope(60_000, gone.signal)), /the client has gone/);
});

test('what runs is never interrupted', async () => {
  const { lane, runs } = laneOf();
  const gone = new AbortController();
  const running = lane.run(1, scope(60_000, gone.signal));
  await turn();
  gone.abort();
  await runs[0]!.finish();
  assert.equal(await running, 2);
});
