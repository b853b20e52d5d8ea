/** Every operator's value and gradient, and what holds of gradients in general. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../../test/float64.ts';
import { expectEngineAgrees, expectGradientsOfDifferences } from '../../test/graph-checks.ts';
import { Inputs, operatorCases } from '../../test/operator-cases.ts';
import { gradients } from './gradients.ts';
import { dependencies } from './model.ts';
import * as op from './operators.ts';
import { Session } from './session.ts';
import { constant, input, integers, type Value } from './values.ts';

for (const [operator, builds] of Object.entries(operatorCases)) {
  test(`${operator}: gradients are those of finite differences`, () => {
    for (const build of builds) {
      assert.ok(uses(build(new Inputs(1)), operator), `${build} does not use ${operator}`);
      expectGradientsOfDifferences(build);
    }
  });

  test(`${operator}: the engine agrees with the reference`, async () => {
    for (const build of builds) await expectEngineAgrees(build, 1e-5);
  });
}

const x = input('x', 'float32', []);
const w = input('w', 'float32', []);

/** Gradients with respect to some values at x = 3 and w = 5. */
function at(loss: Value, targets: readonly Value[]): number[] {
  const given = new Map([x, w].map((value, index) => [value, scalar(3 + 2 * index)]));
  const found = gradients(loss, targets);
  return found.map((gradient) => evaluate({ gradient }, given).gradient.data[0]!);
}

function scalar(value: number) {
  return { shape: [], data: Float64Array.of(value) };
}

test('gradients of a value used several times add up', () => {
  assert.deepEqual(at(op.add(op.mul(x, x), x), [x]), [7]);
  assert.deepEqual(at(op.mul(op.mul(x, x), x), [x]), [27]);
});

test('a target may be a result, on the way to another target, or the loss itself', () => {
  const square = op.mul(x, x);
  const loss = op.mul(op.add(square, x), w);
  assert.deepEqual(at(loss, [w, square, x, loss]), [12, 5, 35, 1]);
});

test('gradients have gradients', () => {
  const [first] = gradients(op.mul(op.mul(x, x), x), [x]);
  assert.deepEqual(at(first!, [x]), [18]);
});

test('of what is not a scalar, they take its cotangent, which counts as constant', () => {
  const v = op.concat([op.reshape(op.mul(x, x), [1]), op.reshape(op.mul(x, w), [1])], 0);
  const given = new Map([x, w].map((value, index) => [value, scalar(3 + 2 * index)]));
  const [gradient] = gradients(v, [x], op.mul(v, constant(Float32Array.of(1, 10), [2])));
  assert.deepEqual([...evaluate({ gradient: gradient! }, given).gradient.data], [9 * 6 + 150 * 5]);
  assert.throws(() => gradients(v, [x]), { message: /a loss: expected a scalar, found \[2\]/ });
  assert.throws(() => gradients(v, [x], constant(1)), { message: /a loss: expected \[\], found \[2\]/ });
});

test('a loss that does not depend on a target is refused', () => {
  const message = /gradients\(\): expected a loss that depends on every target/;
  assert.throws(() => gradients(op.mul(x, x), [x, w]), { code: 'bad-argument', message });
  assert.throws(() => gradients(op.cast(op.greater(x, w), 'float32'), [x]), { message });
  const count = op.cast(op.cast(x, 'int64'), 'float32');
  assert.throws(() => gradients(count, [x]), { message });
  assert.throws(() => gradients(op.relu(constant(2)), [x]), { message });
});

test('a loss of several numbers is refused', () => {
  const vector = input('vector', 'float32', ['n']);
  assert.throws(() => gradients(vector, [vector]), { message: /a loss: expected a scalar, found \[n\]/ });
});

test("layer normalisation's statistics have no gradient of their own", () => {
  const [row, scale] = [input('row', 'float32', [1, 4]), input('scale', 'float32', [4])];
  const [, mean] = op.layerNormalization(row, scale, scale, 1e-5);
  assert.throws(
    () => gradients(op.reshape(mean!, []), [row]),
    /LayerNormalization: expected gradients of its first/,
  );
});

test('gradients of rows that were taken thousands of times lose nothing to threads', async () => {
  const [places, width] = [3, 16];
  const table = input('table', 'float32', [places, width]);
  const ids = input('ids', 'int64', ['n']);
  const cotangent = input('cotangent', 'float32', ['n', width]);
  const loss = op.reduceSum(op.mul(op.gather(table, ids), cotangent), [0, 1]);
  const [gradient] = gradients(loss, [table]);
  const count = 12_000; // every place a third of the times
  const ones = { shape: [count, width], data: new Float32Array(count * width).fill(1) };
  const numbers = BigInt64Array.from({ length: count }, (_, index) => BigInt(index % places));
  const session = await Session.create({ gradient: gradient! }, { threads: 2 });
  for (let round = 0; round < 3; round++) {
    const found = await session.run({ ids: { shape: [count], data: numbers }, cotangent: ones });
    assert.deepEqual([...new Set(found.gradient!.data)], [count / places]);
  }
  await session.dispose();
});

test('what a rule does not need is not computed', () => {
  const table = input('table', 'float32', [5, 1]);
  const picked = op.reshape(op.gather(table, integers([2])), []);
  const [ofX] = gradients(op.mul(picked, x), [x]);
  assert.equal(uses(ofX!, 'ScatterElements'), false);
});

test('ten thousand nodes take no deep recursion, and not many more', () => {
  let value: Value = x;
  for (let layer = 0; layer < 10_000; layer++) {
    value = layer % 2 === 0 ? op.add(value, op.mul(value, constant(0))) : op.sub(value, w);
  }
  assert.deepEqual(at(value, [x, w]), [1, -5000]);
  const [all, backward] = [[value], gradients(value, [x, w])].map((ends) => dependencies(ends).nodes.length);
  assert.ok(backward! < 4 * all!, `${backward} nodes for the gradient of ${all}`);
});

function uses(end: Value, operator: string): boolean {
  const seen = new Set([end]);
  for (const { origin } of seen) {
    if (origin.kind !== 'result') continue;
    if (origin.node.operator === operator) return true;
    for (const next of origin.node.inputs) seen.add(next);
  }
  return false;
}
