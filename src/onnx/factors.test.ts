/** Factors in products: the same values, and no pass for a factor where a product can take it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { relativeError } from '../../test/array64.ts';
import { evaluate } from '../../test/float64.ts';
import { Inputs } from '../../test/operator-cases.ts';
import { withFactorsInProducts } from './factors.ts';
import { linear } from './functions.ts';
import { gradients } from './gradients.ts';
import { dependencies } from './model.ts';
import * as op from './operators.ts';
import { withPlainOperators } from './plain.ts';
import { constant, type Value } from './values.ts';

/** Checks that values stay, and returns the factors that stay: the shapes of what is multiplied by a number. */
function factorsLeft(outputs: Readonly<Record<string, Value>>, { given }: Inputs): string[] {
  const moved = withFactorsInProducts(outputs);
  const [found, expected] = [evaluate(moved, given), evaluate(outputs, given)];
  for (const [name, { shape, data }] of Object.entries(expected)) {
    assert.deepEqual(found[name]!.shape, shape);
    assert.ok(relativeError(found[name]!.data, data) < 1e-6, name);
  }
  const { nodes } = dependencies(Object.values(moved));
  const isNumber = ({ origin, shape }: Value) => origin.kind === 'constant' && shape.length === 0;
  return nodes
    .filter(({ operator, inputs }) => operator === 'Mul' && inputs.some(isNumber))
    .map(({ outputs: [output] }) => `${output!.shape}`);
}

const scaled = (x: Value, factor: number): Value => op.mul(x, constant(factor));

test('what a product takes, gives, or both', () => {
  const x = new Inputs(1);
  const [a, w, b] = [x.real([2, 3, 4]), x.real([5, 4]), x.real([5])];
  assert.deepEqual(factorsLeft({ y: linear(scaled(a, 3), w) }, x), []);
  assert.deepEqual(factorsLeft({ y: op.mul(constant(3), linear(a, w)) }, x), []);
  assert.deepEqual(factorsLeft({ y: scaled(linear(scaled(a, 0.5), w, b), 3) }, x), ['5']); // its bias
});

test('what is needed without the factor, too, keeps it', () => {
  const x = new Inputs(1);
  const [a, w] = [x.real([2, 4]), x.real([5, 4])];
  const product = linear(a, w);
  assert.deepEqual(factorsLeft({ y: op.add(scaled(product, 3), product) }, x), ['2,5']);
  assert.deepEqual(factorsLeft({ y: scaled(product, 3), product }, x), ['2,5']);
  const row = op.reshape(product, [1, 10]);
  assert.deepEqual(factorsLeft({ y: scaled(op.reshape(row, [10]), 3), row }, x), ['10']);
  assert.deepEqual(factorsLeft({ y: scaled(op.gemm(a, w, { transB: true, c: x.real([2, 5]) }), 3) }, x), [
    '2,5',
  ]);
});

test('two factors are one, or none', () => {
  const x = new Inputs(1);
  const a = x.real([2, 4]);
  assert.deepEqual(factorsLeft({ y: scaled(scaled(a, 3), 0.5) }, x), ['2,4']);
  assert.deepEqual(factorsLeft({ y: scaled(scaled(a, 1.702), 1 / 1.702) }, x), []);
});

test("a feed-forward network's own factor costs nothing, with its gradient", () => {
  const x = new Inputs(1);
  const a = x.real([2, 3, 4]);
  const [up, b, down] = [x.real([8, 4]), x.real([8]), x.real([4, 8])];
  const y = linear(op.quickGelu(linear(a, up, b)), down);
  const [gradient] = gradients(op.reduceSum(op.mul(y, x.real(y.shape)), [0, 1, 2]), [a]);
  assert.deepEqual(factorsLeft(withPlainOperators({ y, gradient: gradient! }, [], true), x), ['8']);
});
