/** Which answers stay while phi learns. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptStages, nextStep, readStages, type Stage } from './milestones.ts';

test('answers at milestones stay, and those between them give way', () => {
  let shown: Stage[] = [];
  for (let step = 1, due = 0; step <= 300; step += 1) {
    if (step < due) continue;
    shown = [...keptStages(shown), { step, hits: [], right: [] }];
    due = nextStep(step);
  }
  assert.deepEqual(
    shown.map(({ step }) => step),
    [1, 10, 30, 60, 120, 200, 300],
  );
});

test('what an earlier visit stored comes back, and what is broken does not', () => {
  const kept = { question: { reference: 1, words: 'is red' }, stages: [{ step: 3, hits: [1], right: [] }] };
  assert.deepEqual(readStages(JSON.stringify(kept)), kept);
  for (const text of [null, '', '{', '[]', '{"stages":[{"step":"3"}]}'])
    assert.deepEqual(readStages(text), { stages: [] });
});
