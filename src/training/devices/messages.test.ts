/** Batches and results as bytes: what is written is read again, and nothing else is taken. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyModel } from '../../../test/served.ts';
import { readConfigOf } from '../../clip/index.ts';
import { folderFiles } from '../../files/index.ts';
import type { TowerTask } from '../tower-task.ts';
import {
  mostResultBytes,
  mostTaskBytes,
  packResult,
  packTask,
  readResult,
  readTask,
  resultSizes,
} from './messages.ts';

const config = (await readConfigOf(folderFiles(tinyModel)))!.text!;
const limits = { config, positions: 64 };
const { width, projection, vocabulary, positions } = config;

function taskOf(changes: Partial<TowerTask['feeds']> = {}, kind: TowerTask['kind'] = 'reconstruction') {
  const wanted = { shape: [2, projection], data: new Float32Array(2 * projection).fill(0.5) };
  return {
    kind,
    feeds: {
      ids: { shape: [2, 3], data: BigInt64Array.of(5n, 6n, 7n, 8n, 9n, 0n) },
      ends: { shape: [2, 2], data: BigInt64Array.of(0n, 2n, 1n, 1n) },
      placements: { shape: [1, 2], data: BigInt64Array.of(1n, 0n) },
      injected: { shape: [1, width], data: Float32Array.from({ length: width }, (_, at) => at / 7) },
      ...(kind === 'reconstruction' && { wanted }),
      ...changes,
    },
  } satisfies TowerTask;
}

test('tasks and results are read as they were written, wherever the bytes lie', async () => {
  for (const kind of ['embeddings', 'reconstruction'] as const) {
    const task = taskOf({}, kind);
    const bytes = packTask(task);
    assert.ok(bytes.length <= mostTaskBytes(limits));
    assert.deepEqual(await readTask(bytes, limits), task);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    assert.deepEqual(await readTask(shifted.subarray(3), limits), task);
  }
  const sizes = resultSizes(taskOf(), config);
  const result = {
    errors: Float32Array.of(1, Number.NaN),
    gradient: Float32Array.from({ length: width }, Math.sin),
  };
  const bytes = packResult(result);
  assert.ok(bytes.length <= mostResultBytes(sizes));
  assert.deepEqual(await readResult(bytes, sizes), result);
});

test('what the tower cannot take is refused by name', async () => {
  const integers = (shape: number[], ...values: number[]) => ({
    shape,
    data: BigInt64Array.from(values, BigInt),
  });
  const floats = (shape: number[], value: number) => {
    return { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value) };
  };
  const refused: [Partial<TowerTask['feeds']>, RegExp][] = [
    [{ ids: integers([2, 3], 5, 6, 7, 8, 9, vocabulary) }, /ids: expected whole numbers from 0 to/],
    [{ ids: integers([2, 3], 5, 6, 7, 8, 9, -1) }, /ids: .*found -1/],
    [{ ids: integers([6], 5, 6, 7, 8, 9, 1) }, /ids: expected captions of at most \d+ ids/],
    [{ ids: integers([1, positions + 1], ...new Array(positions + 1).fill(1)) }, /ids: expected captions of/],
    [{ ids: integers([65, 2], ...new Array(130).fill(1)) }, /ids: .* at most \d+ in all, found 65 captions/],
    [{ ends: integers([2, 2], 0, 3, 1, 1) }, /ends: expected whole numbers from 0 to 2, found 3/],
    [{ placements: integers([1, 2], 2, 0) }, /placements: .*found 2/],
    [{ placements: integers([2, 2], 1, 0, 1, 1) }, /injected: expected float32 \[2, \d+\]/],
    [{ injected: floats([1, width], Number.NaN) }, /injected: expected finite numbers, found NaN/],
    [{ wanted: floats([2, projection], Number.POSITIVE_INFINITY) }, /wanted: .*found Infinity/],
    [{ wanted: floats([1, projection], 0) }, /wanted: expected float32 \[2, \d+\]/],
  ];
  for (const [changes, message] of refused) {
    await assert.rejects(readTask(packTask(taskOf(changes)), limits), { code: 'bad-file', message });
  }
  const other = { ...taskOf(), kind: 'anything' as 'embeddings' };
  await assert.rejects(readTask(packTask(other), limits), /kind: expected embeddings or reconstruction/);
  const more = { ...taskOf({}, 'embeddings').feeds, wanted: floats([2, projection], 0) };
  await assert.rejects(readTask(packTask({ kind: 'embeddings', feeds: more }), limits), /tensors: .*wanted/);
});

test('results of other lengths, and bytes that are none, are refused', async () => {
  const sizes = resultSizes(taskOf(), config);
  const refuses = (bytes: Uint8Array<ArrayBuffer>, message: RegExp) =>
    assert.rejects(readResult(bytes, sizes), { code: 'bad-file', message });
  await refuses(packResult({ errors: new Float32Array(2) }), /gradient: expected float32/);
  await refuses(packResult({ errors: new Float32Array(3), gradient: new Float32Array(width) }), /errors/);
  await refuses(new Uint8Array(100).fill(7), /answer: safetensors header/);
  await refuses(new Uint8Array(0), /at least 8 bytes/);
});
