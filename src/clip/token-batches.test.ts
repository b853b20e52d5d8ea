/** Rows of tokens become batches that hold every row once, waste little, and refuse what the tower cannot take. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextConfig } from './config.ts';
import { type TokenRow, tokenBatches } from './token-batches.ts';

const end = 9;
const config: TextConfig = {
  width: 2,
  heads: 1,
  layers: 1,
  feedForward: 4,
  activation: 'gelu',
  epsilon: 1e-5,
  projection: 2,
  vocabulary: 10,
  positions: 8,
  endOfText: end,
};
const row = (length: number): TokenRow => ({ ids: [...Array(length - 1).fill(1), end] });

test('every row is in one batch, and no batch is larger than the budget', () => {
  const lengths = [2, 8, 3, 5, 8, 2, 4];
  const batches = tokenBatches(lengths.map(row), config, 12);
  assert.deepEqual(batches.flatMap(({ members }) => members).sort(), [...lengths.keys()]);
  for (const { members, feeds } of batches) {
    const [rows, positions] = feeds.ids.shape;
    assert.equal(rows, members.length);
    assert.equal(positions, Math.max(...members.map((member) => lengths[member]!)));
    assert.ok(rows! * positions! <= 12);
  }
});

test('cuts stand where they save more padding than a batch costs', () => {
  const sizes = (lengths: number[], budget: number): number[][] =>
    tokenBatches(lengths.map(row), config, budget).map(({ feeds }) => [...feeds.ids.shape]);
  assert.deepEqual(sizes([8, 8, 3, 3], 64), [
    [2, 8],
    [2, 3],
  ]);
  assert.deepEqual(sizes([8, 8, 8, 7], 64), [[4, 8]]); // one position of padding, for a batch that costs six
  assert.deepEqual(sizes([8, 8, 8, 7], 24), [
    [3, 8],
    [1, 7],
  ]);
});

test('a prefix that all rows begin with is left out', () => {
  const rows = [{ ids: [1, 2, end], injected: [{ position: 1, vector: Float32Array.of(5, 6) }] }];
  const [batch] = tokenBatches(rows, config, 12, [1]);
  const { ids, ends, placements } = batch!.feeds;
  assert.deepEqual([...ids.data], [2n, 9n]);
  assert.deepEqual([...ends.data], [0n, 1n]);
  assert.deepEqual([...placements.data], [0n, 0n]);
  assert.throws(
    () => tokenBatches([row(3)], config, 12, [2]),
    /row 1: expected ids that begin with 2, found 1/,
  );
  const early = { ids: [1, 2, end], injected: [{ position: 0, vector: Float32Array.of(5, 6) }] };
  assert.throws(() => tokenBatches([early], config, 12, [1]), /expected injections from 1 to before/);
});

test('a row larger than the budget has a batch of its own', () => {
  const batches = tokenBatches([row(8), row(8)], config, 3);
  assert.deepEqual(
    batches.map(({ members }) => members),
    [[0], [1]],
  );
});

test('what stands after the end of text is left out', () => {
  const [batch] = tokenBatches([{ ids: [1, end, 0, 0, 0] }], config, 100);
  assert.deepEqual(batch!.feeds.ids, { shape: [1, 2], data: BigInt64Array.of(1n, 9n) });
  assert.deepEqual(batch!.feeds.ends.data, BigInt64Array.of(0n, 1n));
});

test('the largest id ends a text where the config says so', () => {
  const [batch] = tokenBatches([{ ids: [1, 7, 3, 7] }], { ...config, endOfText: 'largest' }, 100);
  assert.deepEqual(batch!.feeds.ends.data, BigInt64Array.of(0n, 1n));
});

test('the last id ends a text where the config says so, whatever it is', () => {
  const bert: TextConfig = { ...config, endOfText: 'last', attention: 'toEnd', padding: 4 };
  const [batch] = tokenBatches([{ ids: [1, end, 7] }, { ids: [3, 2] }], bert, 100);
  assert.deepEqual([...batch!.feeds.ends.data], [0n, 2n, 1n, 1n]);
  assert.deepEqual([...batch!.feeds.ids.data], [1n, 9n, 7n, 3n, 2n, 4n]);
});

test('injections go where their row went', () => {
  const vector = (value: number): Float32Array => Float32Array.of(value, value);
  const rows: TokenRow[] = [
    { ...row(3), injected: [{ position: 1, vector: vector(5) }] },
    {
      ...row(6),
      injected: [
        { position: 2, vector: vector(6) },
        { position: 4, vector: vector(7) },
      ],
    },
  ];
  const [batch] = tokenBatches(rows, config, 100);
  assert.deepEqual(batch!.members, [1, 0]);
  assert.deepEqual(batch!.feeds.placements, {
    shape: [3, 2],
    data: BigInt64Array.of(0n, 2n, 0n, 4n, 1n, 1n),
  });
  assert.deepEqual(batch!.feeds.injected, { shape: [3, 2], data: Float32Array.of(6, 6, 7, 7, 5, 5) });
});

test('a row that the tower cannot take is named', () => {
  const refuses = (bad: TokenRow, message: RegExp) =>
    assert.throws(() => tokenBatches([row(3), bad], config, 100), { name: 'LincirError', message });
  refuses({ ids: [1, 2, 3] }, /^row 2: expected an end of text, id 9, found 3 ids without it/);
  refuses({ ids: [] }, /^row 2: expected an end of text/);
  refuses({ ids: [1, 10, end] }, /ids from 0 to 9, found 10/);
  refuses({ ids: [1.5, end] }, /ids from 0 to 9/);
  refuses(row(9), /among the first 8 ids, found it at position 8/);
  refuses(
    { ...row(3), injected: [{ position: 2, vector: new Float32Array(2) }] },
    /before the end of text at 2/,
  );
  refuses(
    { ...row(3), injected: [{ position: 1, vector: new Float32Array(3) }] },
    /vectors of 2 values, found 3/,
  );
  const empty = () => tokenBatches([{ ids: [] }], { ...config, endOfText: 'largest' }, 100);
  assert.throws(empty, /end of text/);
});
