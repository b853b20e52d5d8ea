/** Inner products of rows and a query, beside plain loops. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowProducts } from './row-products.ts';

for (const [count, length] of [
  [1, 1],
  [3, 7],
  [5, 512],
  [1000, 66],
] as const) {
  test(`products of ${count} rows of ${length} numbers`, () => {
    const rows = new RowProducts(count, length);
    const value = (row: number, at: number) => Math.sin(row * length + at);
    for (let row = 0; row < count; row++) {
      rows.row(row).set(Float32Array.from({ length }, (_, at) => value(row, at)));
    }
    const query = Float32Array.from({ length }, (_, at) => Math.cos(at));
    const products = rows.with(query);
    assert.equal(products.length, count);
    for (const [row, product] of products.entries()) {
      const expected = query.reduce((sum, number, at) => sum + number * value(row, at), 0);
      assert.ok(Math.abs(product - expected) <= 1e-6 * length, `row ${row}: ${product}, not ${expected}`);
    }
    assert.deepEqual(rows.row(count - 1)[length - 1], Math.fround(value(count - 1, length - 1)));
  });
}

test('only as many rows as are wanted, and none of none', () => {
  const rows = new RowProducts(4, 2);
  for (let row = 0; row < 4; row++) rows.row(row).set([row, 1]);
  const query = Float32Array.of(2, 1);
  assert.deepEqual([...rows.with(query, 3)], [1, 3, 5]);
  assert.deepEqual([...rows.with(query, 0)], []);
});
