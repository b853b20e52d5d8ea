/** What the operators refuse, before a graph is ever run. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LincirError } from '../core/index.ts';
import * as op from './operators.ts';
import { constant, eightBits, input, integers, sizeAt, type Value } from './values.ts';

const real = (...shape: (number | string)[]): Value => input('x', 'float32', shape);
const ids = (...shape: (number | string)[]): Value => input('i', 'int64', shape);
const vector = real(4);
const matrix = real('n', 4);

/** Every operator that can refuse anything: an application and what its message must say. */
const refusals: Partial<Record<op.OperatorName, readonly [() => unknown, RegExp][]>> = {
  Add: [
    [() => op.add(matrix, real('m', 4)), /equal or 1 on every axis, found \[n, 4\] and \[m, 4\]/],
    [() => op.add(matrix, ids('n', 4)), /arithmetic: expected float32 values, found int64/],
  ],
  Greater: [[() => op.greater(ids(4), vector), /expected int64 values, found float32/]],
  Where: [
    [() => op.where(matrix, matrix, matrix), /Where condition: expected bool values, found float32/],
    [() => op.where(op.greater(vector, vector), real(3), real(1)), /broadcasting/],
  ],
  MatMul: [
    [() => op.matmul(matrix, real(5, 2)), /MatMul: expected equal inner sizes, found 4 and 5/],
    [() => op.matmul(vector, real(4, 2)), /axis -2: expected a tensor with such an axis, found shape \[4\]/],
    [() => op.matmul(real(2, 3, 4), real(3, 4, 2)), /broadcasting/],
  ],
  Gemm: [
    [() => op.gemm(matrix, matrix), /Gemm: expected equal inner sizes, found 4 and n/],
    [() => op.gemm(real(2, 3, 4), real(4, 2)), /Gemm: expected 2 axes, found shape \[2, 3, 4\]/],
    [() => op.gemm(matrix, real(4, 2), { c: real(3) }), /broadcasting/],
    [
      () => op.gemm(real(1, 4), real(4, 2), { c: real(3, 2) }),
      /Gemm bias: expected \[1, 2\], found \[3, 2\]/,
    ],
  ],
  Softmax: [[() => op.softmax(matrix, 2), /axis 2/]],
  LogSoftmax: [[() => op.logSoftmax(matrix, -3), /axis -3/]],
  LayerNormalization: [
    [() => op.layerNormalization(matrix, real(5), vector, 1e-5), /scale: expected \[4\], found \[5\]/],
    [() => op.layerNormalization(matrix, vector, real(1, 4), 1e-5), /bias: expected \[4\], found \[1, 4\]/],
  ],
  MultiHeadAttention: [
    [() => attention(matrix, matrix), /query: expected 3 axes, found shape \[n, 4\]/],
    [() => attention(real('n', 2, 5), real('n', 2, 5)), /width: expected a multiple of 2 heads, found 5/],
    [() => attention(real('n', 2, 4), real('n', 3, 6)), /key: expected \[n, 3, 4\], found \[n, 3, 6\]/],
    [() => attention(real('n', 2, 4), real('n', 3, 4), real(2, 3)), /bias: expected \[n, 1, 2, 3\]/],
    [() => attention(real('n', 2, 4), real('n', 3, 4), real(1, 1, 1, 3)), /bias: expected \[1, 1, 2, 3\]/],
  ],
  ReduceSum: [[() => op.reduceSum(matrix, [0, 2]), /axis 2: expected a tensor with such an axis/]],
  ReduceMean: [[() => op.reduceMean(matrix, [-3]), /axis -3/]],
  ReduceMax: [[() => op.reduceMax(matrix, [2]), /axis 2/]],
  QuantizeLinear: [
    [() => op.quantize(ids(4), { step: 1, zero: 0 }), /QuantizeLinear: expected float32 values, found int64/],
  ],
  MatMulIntegerToFloat: [
    [() => product(real(3, 4), 2), /MatMulIntegerToFloat: expected uint8 values, found float32/],
    [() => product(quantized(3, 5), 2), /expected equal inner sizes, found 5 and 4/],
    [() => product(quantized(3, 4), 2, real(4, 2)), /weights: expected int8 values, found float32/],
    [() => product(quantized(3, 4), 3), /steps: expected \[2\], found \[3\]/],
  ],
  Reshape: [
    [() => op.reshape(matrix, ['n', 5]), /Reshape: expected equal numbers of elements, found 4\*n and 5\*n/],
  ],
  Expand: [[() => op.expand(matrix, [4]), /Expand: expected \[4\], found \[n, 4\]/]],
  Transpose: [
    [() => op.transpose(matrix, [0, 0]), /Transpose permutation: expected \[0, 1\], found \[0, 0\]/],
    [() => op.transpose(matrix, [0]), /expected \[0, 1\], found \[0\]/],
  ],
  Concat: [
    [() => op.concat([], 0), /Concat: expected at least one tensor, found none/],
    [
      () => op.concat([matrix, real('n', 5)], 0),
      /Concat, but for its axis,: expected \[0, 4\], found \[0, 5\]/,
    ],
    [() => op.concat([matrix, vector], 0), /Concat: expected 2 axes, found shape \[4\]/],
    [() => op.concat([matrix, ids('n', 4)], 0), /Concat: expected float32 values, found int64/],
    [() => op.concat([matrix], 2), /axis 2/],
  ],
  Slice: [
    [() => op.slice(matrix, 1, 2, 5), /Slice: expected a part of the 4 on axis 1, found 2 to 5/],
    [() => op.slice(matrix, 1, -2, 4), /found -2 to 4/],
    [() => op.slice(matrix, 1, 3, 2), /found 3 to 2/],
    [() => op.slice(matrix, 2, 0, 1), /axis 2/],
  ],
  Pad: [
    [() => op.pad(matrix, [0, 1]), /Pad: expected 4 amounts from 0 on, found \[0, 1\]/],
    [() => op.pad(matrix, [0, -1, 0, 0]), /found \[0, -1, 0, 0\]/],
  ],
  Gather: [
    [() => op.gather(matrix, vector), /Gather indices: expected int64 values, found float32/],
    [() => op.gather(real(), ids(2)), /axis 0/],
  ],
  GatherElements: [
    [
      () => op.gatherElements(matrix, ids(2), 0),
      /GatherElements indices: expected 2 axes, found shape \[2\]/,
    ],
    [() => op.gatherElements(matrix, ids('n', 1), 2), /axis 2/],
  ],
  TopK: [[() => op.topK(matrix, 5), /TopK: expected at most the 4 on axis -1, found 5/]],
  GatherND: [
    [() => op.gatherND(matrix, ids(5, 3)), /indices: expected rows of 1 to 2 coordinates, found rows of 3/],
    [() => op.gatherND(matrix, ids(5, 'k')), /found rows of k/],
    [() => op.gatherND(matrix, matrix), /indices: expected int64 values, found float32/],
  ],
  ScatterElements: [
    [
      () => op.addAtElements(matrix, ids('n', 2), real('n', 3), 1),
      /updates: expected \[n, 2\], found \[n, 3\]/,
    ],
    [() => op.addAtElements(matrix, vector, vector, 0), /indices: expected int64 values/],
  ],
  ScatterND: [
    [() => op.scatterND(matrix, ids(3, 1), real(3, 5)), /updates: expected \[3, 4\], found \[3, 5\]/],
    [() => op.scatterND(matrix, ids(3, 1), ids(3, 4)), /updates: expected float32 values, found int64/],
  ],
};

for (const [operator, cases] of Object.entries(refusals)) {
  test(`${operator} refuses what does not fit, and says why`, () => {
    for (const [application, message] of cases) {
      assert.throws(application, (error) => {
        assert.ok(error instanceof LincirError, `${application} throws ${error}`);
        assert.equal(error.code, 'bad-argument');
        assert.match(error.message, message);
        return true;
      });
    }
  });
}

test('values refuse data that their shape does not hold', () => {
  assert.throws(() => constant(Float32Array.of(1, 2, 3), [2]), /shape \[2\]: expected 2 values, found 3/);
  assert.throws(() => constant(Float32Array.of(1, 2)), /shape \[\]: expected 1 values, found 2/);
  assert.throws(() => integers([1, 2, 3], [2, 2]), /expected 4 values, found 3/);
  assert.throws(() => sizeAt(vector, 1), /axis 1: expected a tensor with such an axis, found shape \[4\]/);
});

test('applications that change nothing make no node', () => {
  for (const same of [
    op.reshape(matrix, ['n', 4]),
    op.expand(matrix, ['n', 4]),
    op.cast(matrix, 'float32'),
  ]) {
    assert.equal(same, matrix);
  }
  assert.equal(op.reduceSum(matrix, []), matrix);
});

function attention(query: Value, key: Value, bias?: Value): Value {
  return op.multiHeadAttention([query, key, key, bias], 2, 1);
}

const quantized = (...shape: number[]): Value => op.quantize(real(...shape), { step: 1, zero: 0 });

function product(x: Value, columns: number, weights = eightBits(new Int8Array(8), [4, 2])): Value {
  return op.eightBitProduct(x, { step: 1, zero: 0 }, weights, real(columns), real(columns));
}
