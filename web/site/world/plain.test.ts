/** Graphs in plain JavaScript against the engine. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  openTowers,
  parametersOf,
  textInputs,
  textTower,
  tokenBatches,
  visionInput,
  visionTower,
} from '../../../src/clip/index.ts';
import { folderFiles } from '../../../src/files/index.ts';
import { exp, input, type RunTensor, relu, Session, type Value } from '../../../src/onnx/index.ts';
import { plainGraph } from './plain.ts';

const { config, checkpoint } = await openTowers(
  folderFiles(new URL('../../../models/mini', import.meta.url).pathname),
);
const parameter = parametersOf(checkpoint.tensors);

async function expectSame(output: Value, feeds: Readonly<Record<string, RunTensor>>): Promise<void> {
  const session = await Session.create({ output });
  const { output: expected } = await session.run<'output'>(feeds);
  await session.dispose();
  const found = (await plainGraph(output)).run(feeds);
  assert.deepEqual(found.shape, expected.shape);
  const largest = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const [at, value] of expected.data.entries()) {
    assert.ok(Math.abs(found.data[at]! - value) < 1e-5 * largest, `${at}: ${found.data[at]}, not ${value}`);
  }
}

test('the text tower, with vectors in place of words, and texts of several lengths', async () => {
  const text = config.text!;
  const vector = Float32Array.from({ length: text.width }, (_, at) => Math.sin(at));
  const rows = [
    { ids: [4493, 5, 6, 7, 8, 9, 4494], injected: [2, 4].map((position) => ({ position, vector })) },
    { ids: [4493, 17, 4494] },
    { ids: [4493, 17, 18, 19, 4494], injected: [{ position: 1, vector }] },
  ];
  const [batch] = tokenBatches(rows, text, 1024);
  await expectSame(textTower(textInputs(text), text, parameter), batch!.feeds);
});

test('the vision tower', async () => {
  const vision = config.vision!;
  const data = Float32Array.from({ length: 2 * 3 * 64 * 64 }, (_, at) => Math.sin(at / 50));
  await expectSame(visionTower(visionInput(vision), vision, parameter), {
    pixels: { shape: [2, 3, 64, 64], data },
  });
});

test('an activation, and an operator that is missing', async () => {
  const x = input('x', 'float32', ['n']);
  await expectSame(relu(x), { x: { shape: [3], data: Float32Array.of(-1, 0, 2) } });
  await assert.rejects(plainGraph(exp(x)), /found Exp/);
});
