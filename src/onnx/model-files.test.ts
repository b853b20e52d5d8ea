/** Models for others' programs: ONNX's own operators, weights as they are to be stored, in one file or more. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { memoryFile } from '../../test/fuzz/memory-file.ts';
import { halfOf, type StoredTensor } from '../core/index.ts';
import { asFloat32, layerNorm, linear } from './functions.ts';
import { contributed } from './model.ts';
import { modelFiles, type StandaloneOptions } from './model-files.ts';
import * as op from './operators.ts';
import { Session } from './session.ts';
import { constant, input, type Value } from './values.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-model-files-'));
});
after(() => rm(folder, { recursive: true }));

const values = Float32Array.from({ length: 64 }, (_, at) => Math.sin(at));
const x = { shape: [2, 3, 8], data: Float32Array.from({ length: 48 }, (_, at) => Math.cos(at)) };

function stored(name: string, shape: readonly number[], data: Float32Array | Uint16Array): StoredTensor {
  const bytes = new Uint8Array(data.buffer);
  const type = data instanceof Float32Array ? 'float32' : 'float16';
  return { name, type, shape, source: memoryFile(bytes, 'weights'), offset: 0, byteLength: bytes.length };
}

/** A graph with all operators that are not ONNX's own. */
function graph(matrix = stored('matrix', [8, 8], values)): { readonly y: Value } {
  const given = input('x', 'float32', ['batch', 3, 8]);
  const scale = asFloat32(stored('scale', [8], values.slice(0, 8)));
  const hidden = linear(layerNorm(given, scale, scale, 1e-5), asFloat32(matrix));
  const angles = constant(values.slice(0, 6), [3, 2]);
  const turned = op.rotate(hidden, angles, angles);
  const attended = op.multiHeadAttention([turned, turned, turned], 2, 0.5);
  return { y: op.gelu(op.fastGelu(op.quickGelu(attended))) };
}

async function written(name: string, outputs: Readonly<Record<string, Value>>, options?: StandaloneOptions) {
  const files = modelFiles(name, outputs, options);
  for (const file of files) {
    const pieces = await Array.fromAsync(file.bytes());
    const bytes = Buffer.concat(pieces);
    assert.equal(bytes.length, file.byteLength);
    await writeFile(join(folder, file.name), bytes);
  }
  return files;
}

async function computed(name: string): Promise<readonly number[]> {
  const session = await ort.InferenceSession.create(join(folder, name));
  const { y } = await session.run({ x: new ort.Tensor('float32', x.data, x.shape) });
  await session.release();
  return Array.from(y!.data as Float32Array);
}

async function expected(outputs: { readonly y: Value }): Promise<readonly number[]> {
  const session = await Session.create(outputs);
  const { y } = await session.run<'y'>({ x });
  await session.dispose();
  return [...y.data];
}

function close(found: readonly number[], wanted: readonly number[], largest = 1e-6): void {
  assert.equal(found.length, wanted.length);
  for (const [at, value] of found.entries()) assert.ok(Math.abs(value - wanted[at]!) <= largest, `${at}`);
}

test('ONNX has all of its operators, and it computes the same', async () => {
  const [file] = await written('plain.onnx', graph());
  const bytes = Buffer.concat(await Array.fromAsync(file!.bytes()));
  for (const operator of contributed) assert.ok(!bytes.includes(operator));
  assert.ok(!bytes.includes('com.microsoft'));
  assert.ok(bytes.includes('matrix'), 'weights keep their names');
  close(await computed('plain.onnx'), await expected(graph()));
});

test('a model that is too large with its weights has them in files beside it, none too large itself', async () => {
  const limits = [
    [4500, ['large.onnx', 'large.onnx_data']],
    // Of the matrix, which is as large, and the vector.
    [256, ['large.onnx', 'large.onnx_data', 'large.onnx_data_1']],
  ] as const;
  for (const [limit, names] of limits) {
    const [, ...parts] = await written('large.onnx', graph(), { limit });
    assert.deepEqual(['large.onnx', ...parts.map(({ name }) => name)], names);
    close(await computed('large.onnx'), await expected(graph()));
  }
  assert.ok(
    modelFiles('large.onnx', graph(), { limit: 256 })
      .slice(1)
      .every((part) => part.byteLength <= 256),
  );
});

test('weights that are float16 already are widened for float32', async () => {
  const halves = stored('matrix', [8, 8], Uint16Array.from(values, halfOf));
  await written('wide.onnx', graph(halves));
  close(await computed('wide.onnx'), await expected(graph(halves)));
});

test('in float16, products are, too: what is rounded is more than the weights', async () => {
  const wanted = await expected(graph(stored('matrix', [8, 8], Uint16Array.from(values, halfOf))));
  await written('half.onnx', graph(), { precision: 'float16' });
  const found = await computed('half.onnx');
  close(found, wanted, 1e-2);
  assert.throws(() => close(found, wanted, 1e-5));
  const tooLarge = graph(stored('matrix', [8, 8], values.with(9, 70_000)));
  await assert.rejects(written('x.onnx', tooLarge, { precision: 'float16' }), {
    code: 'bad-argument',
    message: /tensor matrix: expected weights that float16 can hold, found 70000/,
  });
});

test('weights that share a name, and what the model says of itself, are kept', async () => {
  const [a, b] = [1, 2].map((factor) =>
    stored(
      'same',
      [8],
      Float32Array.from(values.slice(0, 8), (v) => factor * v),
    ),
  );
  const given = input('x', 'float32', ['batch', 3, 8]);
  const outputs = { y: op.sub(op.mul(given, asFloat32(b!)), op.mul(given, asFloat32(a!))) };
  const [file] = await written('same.onnx', outputs, { metadata: { placeholder_id: '259' } });
  const bytes = Buffer.concat(await Array.fromAsync(file!.bytes()));
  assert.ok(bytes.includes('placeholder_id') && bytes.includes('259'));
  close(await computed('same.onnx'), await expected(outputs));
});
