/** What `lincir train` says of the time ahead. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingSettings } from '../../training/index.ts';
import { timeAhead } from './train.ts';

test('a long training says so after its first steps, a short one does not', () => {
  const ahead = (steps: number, secondsPerStep: number) => {
    const settings = { steps, batch: 256, accumulation: 2 } as TrainingSettings;
    return timeAhead({ settings }, 3, secondsPerStep);
  };
  const end = 'here; Ctrl-C stops and saves, --resume continues';
  assert.equal(ahead(20_000, 10.44), `19,997 steps of 512 captions will take about 58 hours ${end}`);
  assert.equal(ahead(1000, 2), `997 steps of 512 captions will take about 33 min ${end}`);
  assert.equal(ahead(603, 0.9), undefined);
  assert.equal(ahead(3, 100), undefined);
});
