/** Checks of a small graph: its gradients against finite differences, and the engine against float64. */

import assert from 'node:assert/strict';
import {
  gradients,
  mul,
  type RunTensor,
  reduceSum,
  Session,
  type SessionOptions,
  type Value,
} from '../src/onnx/index.ts';
import { type Array64, relativeError } from './array64.ts';
import { evaluate } from './float64.ts';
import { type Build, Inputs } from './operator-cases.ts';

/** Gradients hold constants such as 2/√π as float32, and each of those is off by up to 6e-8. */
const differencesTolerance = 5e-7;

/**
 * What is computed of a graph: its value `y`, and the gradients of the sum of y times a random cotangent, named by
 * the inputs that they belong to.
 */
export function differentiated(build: Build) {
  const x = new Inputs(1);
  const y = build(x);
  const { differentiable: targets } = x;
  const loss = reduceSum(mul(y, x.real(y.shape)), [...y.shape.keys()]);
  const found = gradients(loss, targets);
  const outputs: Record<string, Value> = { y };
  for (const [index, target] of targets.entries()) outputs[`d${nameOf(target)}`] = found[index]!;
  return { given: x.given, targets, loss, outputs };
}

/** Compares the gradients, evaluated in float64, with central differences in float64. */
export function expectGradientsOfDifferences(build: Build): void {
  const { given, targets, loss, outputs } = differentiated(build);
  const found = evaluate(outputs, given);
  for (const target of targets) {
    const gradient = found[`d${nameOf(target)}`]!;
    assert.deepEqual(gradient.shape, given.get(target)!.shape);
    const error = relativeError(gradient.data, finiteDifferences(loss, target, given));
    assert.ok(error < differencesTolerance, `${build}: gradient of ${nameOf(target)} is off by ${error}`);
  }
}

/** Compares value and gradients, as ONNX Runtime computes them, with the reference in float64. */
export async function expectEngineAgrees(
  build: Build,
  tolerance: number,
  options?: SessionOptions,
): Promise<void> {
  const { given, outputs } = differentiated(build);
  const expected = evaluate(outputs, given);
  for (const [name, { shape, data }] of Object.entries(await run(outputs, given, options))) {
    assert.deepEqual(shape, expected[name]!.shape, `${build}: shape of ${name}`);
    const error = relativeError(data, expected[name]!.data);
    assert.ok(error < tolerance, `${build}: ${name} is off by ${error}`);
  }
}

/** Runs a graph on ONNX Runtime with the inputs that the reference takes. */
export async function run(
  outputs: Readonly<Record<string, Value>>,
  given: ReadonlyMap<Value, Array64>,
  options?: SessionOptions,
): ReturnType<Session['run']> {
  const session = await Session.create(outputs, options);
  try {
    const feeds = [...given].map(([value, array]) => [nameOf(value), feedOf(value, array)]);
    return await session.run(Object.fromEntries(feeds));
  } finally {
    await session.dispose();
  }
}

function feedOf({ type }: Value, { shape, data }: Array64): RunTensor {
  return { shape, data: type === 'int64' ? BigInt64Array.from(data, BigInt) : Float32Array.from(data) };
}

function nameOf({ origin }: Value): string {
  return origin.kind === 'input' ? origin.name : origin.kind;
}

/** Of fourth order: with this step both truncation and rounding stay far below the tolerance. */
function finiteDifferences(loss: Value, target: Value, given: ReadonlyMap<Value, Array64>): Float64Array {
  const step = 1e-3;
  const { shape, data } = given.get(target)!;
  const lossAt = (index: number, move: number): number => {
    const moved = { shape, data: data.with(index, data[index]! + move) };
    return evaluate({ loss }, new Map([...given, [target, moved]])).loss.data[0]!;
  };
  return data.map((_, index) => {
    const near = lossAt(index, step) - lossAt(index, -step);
    const far = lossAt(index, 2 * step) - lossAt(index, -2 * step);
    return (8 * near - far) / (12 * step);
  });
}
