/** Tests of reading results.json: what was written comes back, and what tables would stumble over is refused by name. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { MethodResults, Results } from './results.ts';
import { readResults, writeResults } from './results-file.ts';

const folder = await mkdtemp(join(tmpdir(), 'lincir-results-'));
after(() => rm(folder, { recursive: true }));
const path = join(folder, 'results.json');

const prompt = { composed: '$ that {text}', text: '{text}' };
const first: MethodResults = {
  ...{ name: 'lincir', settings: { weight: 0.5, phi: null }, prompt },
  figures: { 'R@1': { value: 0.5, low: 0, high: 1 } },
  groups: { x: { queries: 1, values: { 'R@1': 1 } } },
  perQuery: { 'R@1': [1, 0] },
  wordings: [{ prompt, values: { 'R@1': 0.4 } }],
};
const second = { ...first, name: 'sum', differences: { 'R@1': { value: 0, low: -1, high: 1, p: 0.5 } } };
const results: Results = {
  ...{ version: 1, benchmark: 'mini', preset: 'mini', options: {}, folder: '/a', sha256: 'a', limit: null },
  ...{
    images: 3,
    queries: ['1', '2'],
    metrics: ['R@1'],
    primaryMetric: 'R@1',
    mean: 'groups',
    groupOf: ['x', 'y'],
  },
  model: { name: 'm', fingerprint: 'f00', targetPad: null, precision: 'float16' },
  ...{ methods: [first, second], seconds: {}, versions: {}, date: 'today' },
};

test('what was written comes back', async () => {
  await writeResults(path, results);
  assert.deepEqual(await readResults(path), results);
});

test('what is missing is named', async () => {
  const { differences: _, ...alone } = second;
  const method = (change: Partial<MethodResults>) => ({ methods: [first, { ...second, ...change }] });
  const changes: readonly (readonly [Partial<Record<keyof Results, unknown>>, RegExp])[] = [
    [{ methods: [first, alone] }, /sum: expected a difference in R@1, found none/],
    [{ methods: [] }, /methods: expected at least one method/],
    [{ primaryMetric: 'R@5' }, /primaryMetric: expected one of R@1, found "R@5"/],
    [{ groupOf: ['x'] }, /groupOf: expected the groups of 2 queries/],
    [method({ perQuery: { 'R@1': [1] } }), /sum, R@1: expected values of 2 queries, found 1/],
    [method({ figures: {} }), /sum: expected a figure for R@1/],
    [method({ groups: {} }), /sum: expected R@1 of each group and wording/],
    [method({ wordings: [{ prompt, values: {} }] }), /sum: expected R@1 of each group and wording/],
    [{ queries: [1] }, /queries: 0: expected string, found 1/],
  ];
  for (const [change, message] of changes) {
    await writeFile(path, JSON.stringify({ ...results, ...change }));
    await assert.rejects(readResults(path), { code: 'bad-file', message });
  }
});

test('results of older versions read, with their name for the primary metric', async () => {
  const { primaryMetric, ...others } = results;
  await writeFile(path, JSON.stringify({ ...others, decisive: primaryMetric }));
  assert.deepEqual(await readResults(path), results);
});

test('results of older versions have the precision that their fingerprint says', async () => {
  for (const [fingerprint, precision] of [
    ['f00', 'float32'],
    ['f00-int8', 'int8'],
  ]) {
    const model = { name: 'm', fingerprint, targetPad: null };
    await writeFile(path, JSON.stringify({ ...results, model }));
    assert.deepEqual((await readResults(path)).model, { ...model, precision });
  }
});
