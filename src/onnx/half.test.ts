/** What computes in float16 and what does not, and that the results are those of float32 to float16's rounding. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { relativeError } from '../../test/array64.ts';
import { evaluate } from '../../test/float64.ts';
import { differentiated, run } from '../../test/graph-checks.ts';
import { halfCases } from '../../test/half-cases.ts';
import { operatorCases } from '../../test/operator-cases.ts';
import type { RandomAccess } from '../core/index.ts';
import { asFloat32, layerNorm, linear } from './functions.ts';
import { gradients } from './gradients.ts';
import { withHalfProducts } from './half.ts';
import { buildModel, dependencies } from './model.ts';
import * as op from './operators.ts';
import { withPlainOperators } from './plain.ts';
import { constant, input, type Node, type Value } from './values.ts';

const source: RandomAccess = {
  name: 'weights',
  size: 1 << 20,
  read: async (_, length) => new Uint8Array(length),
};

/** A weight in a file, as float32. */
function stored(type: 'float16' | 'float32', shape: readonly number[]): Value {
  const byteLength = shape.reduce((a, b) => a * b, 1) * (type === 'float16' ? 2 : 4);
  return asFloat32({ name: 'w', type, shape, source, offset: 0, byteLength });
}

/** A layer with a residual connection, and its gradient. */
function layer(type: 'float16' | 'float32') {
  const x = input('x', 'float32', ['rows', 4]);
  const normal = layerNorm(x, stored(type, [4]), stored(type, [4]), 1e-5);
  const inner = op.quickGelu(linear(normal, stored(type, [8, 4]), stored(type, [8])));
  const y = op.add(x, linear(inner, stored(type, [4, 8])));
  const loss = op.reduceSum(op.mul(y, y), [0, 1]);
  return withHalfProducts({ y, gradient: gradients(loss, [x])[0]! });
}

function nodesOf(outputs: Readonly<Record<string, Value>>, operator: op.OperatorName): Node[] {
  return dependencies(Object.values(outputs)).nodes.filter((node) => node.operator === operator);
}

const typesOf = (nodes: readonly Node[]) =>
  new Set(nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs].map(({ type }) => type)));

for (const type of ['float16', 'float32'] as const) {
  test(`with weights of ${type}, products and activations are float16, statistics and residuals float32`, () => {
    const outputs = layer(type);
    assert.deepEqual(
      Object.values(outputs).map((value) => value.type),
      ['float32', 'float32'],
    );
    const products = nodesOf(outputs, 'Gemm');
    assert.equal(products.length, 4); // two forward, two back
    assert.deepEqual(typesOf(products), new Set(['float16']));
    assert.deepEqual(typesOf(nodesOf(outputs, 'QuickGelu')), new Set(['float16']));
    assert.deepEqual(typesOf(nodesOf(outputs, 'LayerNormalization')), new Set(['float32']));
    assert.equal(outputs.y!.origin.kind === 'result' && outputs.y!.origin.node.operator, 'Add');
  });
}

test('bfloat16 is the same, but for operators without such kernels', () => {
  const x = input('x', 'float32', ['rows', 4]);
  const product = op.matmul(x, input('w', 'float32', [4, 4]));
  const y = op.pad(op.reshape(op.mul(op.relu(product), product), ['rows', 2, 2]), [1, 0, 0, 0, 0, 0]);
  const outputs = withHalfProducts({ y }, 'bfloat16');
  for (const operator of ['MatMul', 'Relu', 'Reshape', 'Mul'] as const) {
    assert.equal(nodesOf(outputs, operator)[0]!.outputs[0]!.type, 'bfloat16', operator);
  }
  assert.equal(nodesOf(outputs, 'Pad')[0]!.inputs[0]!.type, 'float32');
});

test('weights stored as float16 go into products as they are', () => {
  const outputs = layer('float16');
  for (const { inputs } of nodesOf(outputs, 'Gemm')) assert.equal(inputs[1]!.origin.kind, 'weight');
  const table = op.gather(stored('float16', [100, 4]), input('ids', 'int64', ['n']));
  const { rows } = withHalfProducts({ rows: table });
  const [gather] = nodesOf({ rows: rows! }, 'Gather');
  assert.equal(gather!.inputs[0]!.origin.kind, 'weight'); // a table of words is not widened either
  assert.equal(rows!.type, 'float32');
  assert.equal([...buildModel({ rows: rows! }).weights.values()][0]!.byteLength, 800);
});

test('float32 weights are rounded when the session is made: they take half the memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-half-'));
  try {
    const weights = constant(new Float32Array(512 * 512).fill(0.1), [512, 512]);
    const y = linear(input('x', 'float32', ['rows', 512]), weights);
    const bytesOf = async (outputs: Readonly<Record<string, Value>>): Promise<number> => {
      const optimizedModelFilePath = join(folder, 'optimized.onnx');
      const options = {
        optimizedModelFilePath,
        graphOptimizationLevel: 'basic',
        logSeverityLevel: 4,
      } as const;
      await (await ort.InferenceSession.create(buildModel(outputs).bytes, options)).release();
      return (await stat(optimizedModelFilePath)).size;
    };
    const ratio = (await bytesOf(withHalfProducts({ y }))) / (await bytesOf({ y }));
    assert.ok(ratio > 0.49 && ratio < 0.51, `${ratio}`);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a graph without products stays as it is', () => {
  const y = op.softmax(op.add(input('x', 'float32', ['n']), input('z', 'float32', ['n'])));
  assert.equal(withHalfProducts({ y }).y, y);
});

// ONNX Runtime's CPU has no such products. It widens what they take, and rounds what they give.
for (const [name, builds] of Object.entries({ ...operatorCases, ...halfCases })) {
  test(`${name}: values and gradients are those of float32, to float16's rounding`, async () => {
    for (const build of [builds].flat()) {
      const { given, outputs } = differentiated(build);
      const expected = evaluate(outputs, given);
      const halves = withHalfProducts(withPlainOperators(outputs, []));
      for (const [key, { data }] of Object.entries(await run(halves, given))) {
        const error = relativeError(data, expected[key]!.data);
        assert.ok(error < 5e-3, `${build}: ${key} is off by ${error}`);
      }
    }
  });
}

test('what products take is really rounded', async () => {
  const { given, outputs } = differentiated(halfCases['a residual connection']!);
  const expected = evaluate(outputs, given);
  const { y } = await run(withHalfProducts(outputs), given);
  assert.ok(relativeError(y!.data, expected.y!.data) > 1e-5);
});
