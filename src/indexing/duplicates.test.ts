/** Grouping of duplicates goes on in turns, and ends when nobody wants it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { normalizeRows, normals } from '../core/index.ts';
import { groupsOf } from './duplicates.ts';

const size = 64;
const count = 2000;
const data = normals({ seed: 1, purpose: 'noise', moment: 0, row: 0 }, count * size);
normalizeRows(data, size);
const hits = Array.from({ length: count }, (_, at) => ({
  ...{ id: `${at}`, path: `/${at}`, folder: '/', hash: `${at}`, score: 1 - at / count, metadata: {} },
}));
const vectors = new Map(hits.map(({ id }, at) => [id, data.subarray(at * size, (at + 1) * size)]));

test('others have their turn meanwhile', async () => {
  let turns = 0;
  let isDone = false;
  const others = (async () => {
    for (; !isDone; turns += 1) await setImmediate();
  })();
  const groups = await groupsOf(hits, 0.999, vectors);
  isDone = true;
  await others;
  assert.equal(groups.length, count);
  assert.ok(turns > 5, `${turns} turns`);
});

test('it ends with the reason of the signal', async () => {
  const controller = new AbortController();
  const reason = new Error('nobody waits');
  void setImmediate().then(() => controller.abort(reason));
  await assert.rejects(groupsOf(hits, 0.999, vectors, controller.signal), reason);
});
