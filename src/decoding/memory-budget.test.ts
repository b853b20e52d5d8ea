/** What is claimed at a moment never passes the budget, in one thread or in several. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { decodingBytes, joinBudget, newBudget, withMemory } from './memory-budget.ts';

test('works wait for each other as their claims need it, and failures give theirs back', async () => {
  let held = 0;
  let most = 0;
  let atOnce = 0;
  const work = (share: number, fails = false) =>
    withMemory(decodingBytes * share, async () => {
      held += share;
      most = Math.max(most, held);
      atOnce += 1;
      await pause(2);
      held -= share;
      if (fails) throw new Error('failed');
    });
  const shares = [0.5, 0.2, 0.9, 0.2, 0.4, 5, 0.3, 0.3, 0.3];
  const done = await Promise.allSettled(shares.map((share, at) => work(Math.min(share, 1), at % 2 === 1)));
  assert.equal(done.filter(({ status }) => status === 'rejected').length, 4);
  assert.equal(atOnce, shares.length);
  assert.ok(most <= 1.0001, `${most} of the budget at once`);
  await withMemory(10 * decodingBytes, async () => {}); // all of it is there again
});

test('another thread waits, too', { timeout: 20_000 }, async (context) => {
  const budget = newBudget();
  joinBudget(budget);
  context.after(() => joinBudget(newBudget()));
  const module = JSON.stringify(new URL('./memory-budget.ts', import.meta.url).href);
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    parentPort.on('message', () => {}); // as the reader's threads wait for more
    import(${module}).then(async ({ joinBudget, withMemory }) => {
      joinBudget(workerData);
      parentPort.postMessage('asks');
      await withMemory(1e9, async () => parentPort.postMessage('has'));
    });`;
  const said: string[] = [];
  const has = Promise.withResolvers<void>();
  await withMemory(1_000_000, async () => {
    const worker = new Worker(code, { eval: true, workerData: budget });
    context.after(() => worker.terminate());
    const asks = Promise.withResolvers<void>();
    worker.on('message', (text: string) => {
      said.push(text);
      (text === 'has' ? has : asks).resolve();
    });
    await asks.promise;
    await pause(20);
    assert.deepEqual(said, ['asks']);
  });
  await has.promise;
  assert.deepEqual(said, ['asks', 'has']);
});
