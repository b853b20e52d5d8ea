/** How much of a large column is looked at. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countValues, prefixFilter } from './values.ts';

function* batches(count: number, value: (at: number) => string) {
  for (let from = 0; from < count; from += 1000) {
    yield Array.from({ length: Math.min(1000, count - from) }, (_, at) => value(from + at));
  }
}

test('looks at so many rows, and says so', async () => {
  const all = await countValues(
    batches(100_000, (at) => `${at % 2}`),
    {},
    false,
  );
  assert.deepEqual(
    [all.values, all.sampled],
    [
      [
        { value: '0', count: 50_000 },
        { value: '1', count: 50_000 },
      ],
      false,
    ],
  );
  const part = await countValues(
    batches(1e9, (at) => `${at % 2}`),
    {},
    false,
  );
  assert.deepEqual([part.values, part.sampled], [all.values, true]);
});

test('looks at so many characters', async () => {
  let taken = 0;
  const long = 'x'.repeat(100_000);
  const { values, sampled } = await countValues(
    batches(3000, (at) => {
      taken = at;
      return `${at}${long}`;
    }),
    { limit: 3 },
    false,
  );
  assert.deepEqual([values.length, sampled, taken < 1000], [3, true, true]);
});

test('asks a store for texts alone', () => {
  const columns = new Map([
    ['name', 'string'],
    ['size', 'number'],
  ] as const);
  assert.equal(prefixFilter('size', columns, '1'), undefined);
  assert.equal(prefixFilter('name', columns, ''), undefined);
  assert.deepEqual(prefixFilter('name', columns, '50%_\\'), {
    ...{ kind: 'like', column: 'name', ignoreCase: true },
    pattern: '50\\%\\_\\\\%',
  });
});
