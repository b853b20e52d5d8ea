/** Layers, losses and AdamW: their values by hand, their gradients by finite differences. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Array64, relativeError } from '../../test/array64.ts';
import { evaluate } from '../../test/float64.ts';
import { expectEngineAgrees, expectGradientsOfDifferences, run } from '../../test/graph-checks.ts';
import { type Build, Inputs } from '../../test/operator-cases.ts';
import { adamW, crossEntropy, l2Normalize, layerNorm, linear, meanSquaredError } from './functions.ts';
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

test('AdamW takes the steps of its definition', async () => {
  const [learningRate, weightDecay, beta1, beta2, epsilon] = [0.1, 0.2, 0.8, 0.95, 1e-3];
  const named = (name: string, shape: number[] = []): Value => input(name, 'float32', shape);
  const state = { parameter: named('p', [3]), moment1: named('m', [3]), moment2: named('v', [3]) };
  const gradient = named('g', [3]);
  const scalars = {
    learningRate: named('rate'),
    weightDecay: named('decay'),
    correction1: named('c1'),
    correction2: named('c2'),
  };
  const next = adamW({ ...state, gradient }, scalars, { beta1, beta2, epsilon });

  const [start, zeros] = [
    [1, -2, 0.5],
    [0, 0, 0],
  ] as [number[], number[]];
  let float64 = { parameter: vector(start), moment1: vector(zeros), moment2: vector(zeros) };
  let engine = float64;
  const [byHand, first, second] = [start, [...zeros], [...zeros]];
  for (let step = 1; step <= 5; step++) {
    const slope = [Math.sin(step), -0.01, step - 3].map(Math.fround);
    for (const [index, g] of slope.entries()) {
      first[index] = beta1 * first[index]! + (1 - beta1) * g;
      second[index] = beta2 * second[index]! + (1 - beta2) * g ** 2;
      const mean = first[index]! / (1 - beta1 ** step);
      const deviation = Math.sqrt(second[index]! / (1 - beta2 ** step)) + epsilon;
      byHand[index]! -= learningRate * weightDecay * byHand[index]! + (learningRate * mean) / deviation;
    }
    const given = (from: typeof float64) =>
      new Map<Value, Array64>([
        [state.parameter, from.parameter],
        [state.moment1, from.moment1],
        [state.moment2, from.moment2],
        [gradient, vector(slope)],
        [scalars.learningRate, scalar(learningRate)],
        [scalars.weightDecay, scalar(weightDecay)],
        [scalars.correction1, scalar(1 - beta1 ** step)],
        [scalars.correction2, scalar(1 - beta2 ** step)],
      ]);
    float64 = evaluate(next, given(float64));
    const { parameter, moment1, moment2 } = await run(next, given(engine));
    engine = {
      parameter: vector(parameter!.data),
      moment1: vector(moment1!.data),
      moment2: vector(moment2!.data),
    };
    assert.ok(relativeError(float64.parameter.data, Float64Array.from(byHand)) < 1e-6, `step ${step}`);
    assert.ok(relativeError(engine.parameter.data, Float64Array.from(byHand)) < 1e-5, `step ${step}, engine`);
  }
});

function vector(values: ArrayLike<number>): Array64 {
  return { shape: [values.length], data: Float64Array.from(values) };
}

function scalar(value: number): Array64 {
  return { shape: [], data: Float64Array.of(value) };
}
