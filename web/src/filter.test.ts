/** Filters built from conditions: what the filter language makes of them, and which texts become conditions again. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnFacts } from '../../src/api/index.ts';
import { type Columns, parseFilter } from '../../src/store/filter/filter.ts';
import { type Condition, conditionsOf, filterText, isWhole, narrowed, operatorsOf } from './filter.ts';

const columns: ColumnFacts[] = [
  { name: 'camera', type: 'string' },
  { name: 'rating', type: 'number' },
  { name: 'hidden', type: 'boolean' },
  { name: 'modified', type: 'time' },
  { name: 'taken', type: 'string' },
  { name: 'my "own"; column', type: 'string' },
  { name: 'in', type: 'number' },
];
const language: Columns = new Map(columns.map(({ name, type }) => [name, type]));
const values = {
  string: "it's 50% of_a \\ path' or 1=1 --",
  number: '-4.5',
  boolean: 'true',
  time: '2024-05-01',
};

test('every condition is one that the filter language reads, and comes back', () => {
  for (const column of columns) {
    for (const operator of operatorsOf(column)) {
      const value = column.name === 'taken' ? values.time : values[column.type];
      const isNull = operator === 'empty' || operator === 'filled';
      const one: Condition = { column: column.name, operator, value: isNull ? '' : value };
      const text = filterText({ join: 'and', conditions: [one] }, columns);
      const filter = parseFilter(text, language);
      // No value breaks out into another condition.
      assert.ok(!['and', 'or'].includes(filter.kind), text);
      assert.deepEqual(conditionsOf(text, columns), { join: 'and', conditions: [one] }, text);
    }
  }
});

test('several conditions are joined in one way', () => {
  const conditions: Condition[] = [
    { column: 'rating', operator: 'least', value: '4' },
    { column: 'camera', operator: 'contains', value: 'iphone' },
  ];
  const text = "rating >= 4 or camera ilike '%iphone%'";
  assert.equal(filterText({ join: 'or', conditions }, columns), text);
  assert.deepEqual(conditionsOf(text, columns), { join: 'or', conditions });
  assert.deepEqual(conditionsOf('', columns), { join: 'and', conditions: [] });
});

test('a text that is more than conditions stays a text', () => {
  for (const text of [
    'rating > 4',
    "rating >= 4 and camera = 'a' or hidden = true",
    'not hidden = true',
    '(rating >= 4)',
    'rating in (1, 2)',
    'unknown = 3',
    "camera like 'a%'",
    "camera ilike '%a_b%'",
    "camera ilike 'a'",
    'rating >= 4 and',
    'rating >= 4 rating >= 5',
    'rating',
    'hidden',
  ])
    assert.equal(conditionsOf(text, columns), undefined, text);
});

test('a condition without a value waits for one', () => {
  const [camera, rating] = columns as [ColumnFacts, ColumnFacts];
  assert.ok(!isWhole({ column: 'camera', operator: 'is', value: '' }, camera));
  assert.ok(isWhole({ column: 'camera', operator: 'empty', value: '' }, camera));
  assert.ok(!isWhole({ column: 'rating', operator: 'is', value: 'four' }, rating));
});

test('a filter is narrowed, whatever it is', () => {
  const folder: Condition = { column: 'camera', operator: 'is', value: 'X100' };
  assert.equal(narrowed('', folder, columns), "camera = 'X100'");
  assert.equal(narrowed('rating >= 4', folder, columns), "rating >= 4 and camera = 'X100'");
  assert.equal(narrowed("camera = 'X1'", folder, columns), "camera = 'X100'");
  const either = 'rating > 4 or hidden';
  assert.equal(narrowed(either, folder, columns), `(${either}) and camera = 'X100'`);
});
