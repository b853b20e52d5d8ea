/** Which share of the work `--shard` means, alone and under schedulers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shardOf } from './shard-option.ts';

const slurm = (id: number, tasks: { min: number; max: number; count: number; step?: number }) => ({
  SLURM_ARRAY_TASK_ID: `${id}`,
  SLURM_ARRAY_TASK_MIN: `${tasks.min}`,
  SLURM_ARRAY_TASK_MAX: `${tasks.max}`,
  SLURM_ARRAY_TASK_COUNT: `${tasks.count}`,
  SLURM_ARRAY_TASK_STEP: `${tasks.step ?? 1}`,
});

test('a shard is given from 1 on', () => {
  assert.deepEqual(shardOf('1/8', {}), { number: 1, count: 8 });
  assert.deepEqual(shardOf('8/8', { JOB_COMPLETION_INDEX: '3' }), { number: 8, count: 8 });
  assert.throws(() => shardOf('0/8', {}), /Shards count from 1: give 1\/8 to 8\/8/);
  assert.throws(() => shardOf('1/0', {}), /so n is 1 or more: give 1\/8/);
  for (const wrong of ['9/8', '1/0']) assert.throws(() => shardOf(wrong, {}), /Shards count from 1/, wrong);
  for (const wrong of ['3', '', '1/', '-1/3', '1/8/2', '1.5/3', 'auto/', 'Auto', '1 / 8']) {
    assert.throws(() => shardOf(wrong, {}), /It must be i\/n/, wrong);
  }
});

test('an Indexed Job says which pod this is, but not of how many', () => {
  const environment = { JOB_COMPLETION_INDEX: '7' };
  assert.deepEqual(shardOf('auto/8', environment), { number: 8, count: 8 });
  assert.throws(() => shardOf('auto', environment), /does not say how many pods/);
  assert.throws(() => shardOf('auto/7', environment), /index is 7: of 7 shards, it must be from 0 to 6/);
  assert.throws(() => shardOf('auto/7', {}), /Neither JOB_COMPLETION_INDEX .* is set/);
  assert.throws(() => shardOf('auto/7', { JOB_COMPLETION_INDEX: '-1' }), /is not a whole number/);
});

test('a Slurm array says both, wherever it begins', () => {
  assert.deepEqual(shardOf('auto', slurm(0, { min: 0, max: 7, count: 8 })), { number: 1, count: 8 });
  assert.deepEqual(shardOf('auto', slurm(8, { min: 1, max: 8, count: 8 })), { number: 8, count: 8 });
  assert.deepEqual(shardOf('auto', slurm(14, { min: 10, max: 16, count: 4, step: 2 })), {
    number: 3,
    count: 4,
  });
  assert.throws(() => shardOf('auto', slurm(5, { min: 3, max: 5, count: 2 })), /has gaps, or is a part/);
  assert.deepEqual(shardOf('auto/8', slurm(5, { min: 3, max: 5, count: 2 })), { number: 6, count: 8 });
  assert.throws(() => shardOf('auto', { SLURM_ARRAY_TASK_ID: '2' }), /has gaps/);
  assert.throws(
    () => shardOf('auto', { ...slurm(1, { min: 0, max: 1, count: 2 }), JOB_COMPLETION_INDEX: '1' }),
    /Both JOB_COMPLETION_INDEX and SLURM_ARRAY_TASK_ID are set/,
  );
});
