/** Layers and losses: their values by hand, their gradients by finite differences. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Array64, relativeError } from '../../test/array64.ts';
import { evaluate } from '../../test/float64.ts';
import { expectEngineAgrees, expectGradientsOfDifferences, run } from '../../test/graph-checks.ts';
import { type Build, Inputs } from '../../test/operator-cases.ts';
import { crossEntropy, l2Normalize, layerNorm, linear, meanSquaredError } from './functions.ts';
import { layerNormalization, mul } from './operators.ts';
import { input, type Value } from './values.ts';

const cases: Readonly<Record<string, readonly Build[]>> = {
  linear: [
    (x) => linear(x.real(['n', 'm', 4]), x.real([3, 4]), x.real([3])),
    (x) => linear(x.real(['n', 4]), x.real([3, 4])),
    (x) => linear(x.real([4]), x.real([3, 4]), x.real([3])),
  ],
  layerNorm: [(x) => layerNorm(x.real(['n', 'm', 4]), x.real([4]), x.real([4]), 1e-5)],
  l2Normalize: [(x) => l2Normalize(x.real(['n', 4])), (x) => l2Normalize(x.real(['n', 'm', 2]))],
  meanSquaredError: [
    (x) => meanSquaredError(x.real(['n', 3]), x.real(['n', 3])),
    (x) => meanSquaredError(x.real(['n', 3]), x.real([3])),
    (x) => meanSquaredError(x.real([]), x.real([])),
  ],
  crossEntropy: [
    (x) => crossEntropy(x.real(['n', 4], 3), x.integers(['n'], [3, 0])),
    (x) => {
      const logits = x.real(['m', 'm'], 2);
      return crossEntropy(mul(logits, x.real([])), x.integers(['m'], [0, 1, 2]));
    },
  ],
};

for (const [name, builds] of Object.entries(cases)) {
  test(`${name}: gradients are those of finite differences, and the engine agrees`, async () => {
    for (const build of builds) {
      expectGradientsOfDifferences(build);
      await expectEngineAgrees(build, 1e-5);
    }
  });
}

test('values that can be worked out by hand', () => {
  const [a, b] = [input('a', 'float32', [2, 2]), input('b', 'float32', [2, 2])];
  const labels = input('labels', 'int64', [2]);
  const outputs = {
    product: linear(a, b),
    norm: l2Normalize(a),
    squared: meanSquaredError(a, b),
    entropy: crossEntropy(mul(a, b), labels),
  };
  const given = new Map<Value, Array64>([
    [a, { shape: [2, 2], data: Float64Array.of(3, 4, 0, -2) }],
    [b, { shape: [2, 2], data: Float64Array.of(1, 0, 2, 1) }],
    [labels, { shape: [2], data: Float64Array.of(0, 1) }],
  ]);
  const found = evaluate(outputs, given);
  assert.deepEqual([...found.product.data], [3, 10, 0, -2]);
  assert.deepEqual([...found.norm.data], [0.6, 0.8, 0, -1]);
  assert.equal(found.squared.data[0], (4 + 16 + 4 + 9) / 4);
  // Logits are [3, 0] and [0, -2]: -log σ(3) and -log σ(-2).
  const expected = (Math.log(1 + Math.exp(-3)) + Math.log(1 + Math.exp(2))) / 2;
  assert.ok(Math.abs(found.entropy.data[0]! - expected) < 1e-14);
});

test('layer normalisation gives mean and inverse deviation too', async () => {
  const x = new Inputs(3);
  const [y, mean, inverse] = layerNormalization(x.real(['n', 'm', 6]), x.real([6]), x.real([6]), 1e-5);
  const outputs = { y: y!, mean: mean!, inverse: inverse! };
  const expected = evaluate(outputs, x.given);
  for (const [name, { shape, data }] of Object.entries(await run(outputs, x.given))) {
    assert.deepEqual(shape, expected[name as 'y'].shape);
    assert.ok(relativeError(data, expected[name as 'y'].data) < 1e-6, name);
  }
});
