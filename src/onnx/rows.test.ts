/** Wanted rows: the same values as of all rows, computed from these alone. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { relativeError } from '../../test/array64.ts';
import { evaluate } from '../../test/float64.ts';
import { Inputs } from '../../test/operator-cases.ts';
import { layerNorm, linear } from './functions.ts';
import { gradients } from './gradients.ts';
import { dependencies } from './model.ts';
import * as op from './operators.ts';
import { wantedRows } from './rows.ts';
import { constant, type Value } from './values.ts';

/** Checks the values, and returns the operators that compute more than the wanted rows. */
function computedWhole(x: Value, indices: Value, { given }: Inputs): string[] {
  const rows = wantedRows(x, indices);
  const { found, expected } = evaluate({ found: rows, expected: op.gatherND(x, indices) }, given);
  assert.deepEqual(found.shape, expected.shape);
  assert.ok(relativeError(found.data, expected.data) < 1e-12);
  const whole = dependencies([rows]).nodes.filter(({ outputs }) => outputs[0]!.shape.length > 2);
  return whole.map(({ operator }) => operator).filter((operator) => operator !== 'Reshape');
}

/** [2, 3, 4] and the rows wanted of it. */
function start() {
  const x = new Inputs(1);
  return { x, a: x.real([2, 3, 4]), w: x.real([5, 4]), indices: x.integers([3, 2], [0, 1, 1, 0, 1, 2]) };
}

test('products, arithmetic and statistics of rows are computed for the wanted ones', () => {
  const { x, a, w, indices } = start();
  const product = linear(a, w);
  const mean = op.reduceMean(product, [-1], true);
  const y = op.mul(op.add(op.sub(product, mean), x.real([5])), constant(2));
  assert.deepEqual(computedWhole(y, indices, x), []);
});

test('what needs other rows, or is needed whole, is computed whole', () => {
  const { x, a, w, indices } = start();
  assert.deepEqual(computedWhole(op.softmax(linear(a, w), 1), indices, x), ['Softmax']);
  assert.deepEqual(computedWhole(op.add(linear(a, w), x.real([3, 5])), indices, x), ['Add']);
  const shared = op.mul(a, a);
  const both = op.add(shared, op.transpose(op.softmax(shared, 1), [0, 1, 2]));
  assert.deepEqual(computedWhole(both, indices, x), ['Mul', 'Softmax', 'Transpose']);
});

test('vectors in place of rows: a gradient through a norm and a product is computed for these alone', () => {
  const { x, a, w, indices } = start();
  const injected = x.real([3, 4]);
  const hidden = op.scatterND(a, indices, injected);
  const y = op.softmax(linear(layerNorm(hidden, x.real([4]), x.real([4]), 1e-5), w), 1);
  const [gradient] = gradients(op.reduceSum(op.mul(y, x.real(y.shape)), [0, 1, 2]), [injected]);
  const products = dependencies([gradient!]).nodes.filter(({ operator }) => operator === 'Gemm');
  assert.deepEqual(
    products.map(({ outputs }) => outputs[0]!.shape),
    [
      [6, 5],
      [3, 4],
    ],
  );
});
