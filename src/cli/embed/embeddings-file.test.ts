/** The three formats, read back. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readSafetensorsHeader, readTensor } from '../../core/index.ts';
import { readingFile } from '../../files/index.ts';
import { type Embeddings, writerFor } from './embeddings-file.ts';

const names = ['a cat', 'two\nlines', 'ütf 🐈', ''];
const values = Float32Array.from([0.1, -1, 1e-30, 3.4e38, 0, 0.333333333, 7, 16777217.5]);
const embeddings: Embeddings = {
  count: 4,
  dimensions: 2,
  metadata: { model: 'tiny' },
  rows: async function* () {
    yield values.subarray(0, 6);
    yield values.subarray(6);
  },
  names: async function* () {
    yield* names;
  },
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-embeddings-'));
});
after(() => rm(folder, { recursive: true }));

/** Names out of JSON strings, one a line. */
function parsedLines(text: string): unknown[] {
  assert.ok(text.endsWith('\n'));
  return text
    .slice(0, -1)
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

test('safetensors: a tensor of embeddings and one of names', async () => {
  const path = join(folder, 'x.safetensors');
  assert.deepEqual(await writerFor(path)(path, embeddings), [path]);
  const { tensors, metadata } = await readingFile(path, readSafetensorsHeader);
  assert.deepEqual(metadata, { model: 'tiny' });
  assert.deepEqual(await readTensor(tensors.get('embeddings')!), { shape: [4, 2], data: values });
  const { offset, byteLength } = tensors.get('names')!;
  const bytes = (await readFile(path)).subarray(offset, offset + byteLength);
  assert.deepEqual(parsedLines(bytes.toString()), names);
});

test('NumPy: an array, and names and model in files beside it', async () => {
  const [path, namesPath] = [join(folder, 'x.npy'), join(folder, 'x.names.jsonl')];
  const modelPath = join(folder, 'x.model.json');
  assert.deepEqual(await writerFor(path)(path, embeddings), [namesPath, modelPath, path]);
  assert.deepEqual(JSON.parse(await readFile(modelPath, 'utf8')), { model: 'tiny' });
  const bytes = await readFile(path);
  assert.match(bytes.toString('latin1'), /^\x93NUMPY.*'shape': \(4, 2,?\)/s);
  assert.deepEqual(bytes.subarray(-values.byteLength), Buffer.from(values.buffer));
  assert.deepEqual(parsedLines(await readFile(namesPath, 'utf8')), names);
});

test('lines of JSON: exact float32 values', async () => {
  const path = join(folder, 'x.JSONL');
  await writerFor(path)(path, embeddings);
  const lines = parsedLines(await readFile(path, 'utf8')) as { name: string; embedding: number[] }[];
  assert.deepEqual(
    lines.map(({ name }) => name),
    names,
  );
  assert.deepEqual(Float32Array.from(lines.flatMap(({ embedding }) => embedding)), values);
});

test('what fails leaves nothing behind', async () => {
  const before = await readdir(folder);
  const broken = {
    ...embeddings,
    rows: async function* () {
      yield values;
      throw new Error('torn');
    },
  };
  for (const name of ['y.safetensors', 'y.jsonl']) {
    await assert.rejects(writerFor(name)(join(folder, name), broken), /torn/);
  }
  assert.deepEqual(await readdir(folder), before);
});

test('another ending is refused', () => {
  assert.throws(
    () => writerFor('x.csv'),
    /--out: expected a file name ending in \.safetensors, \.npy, \.jsonl, found "x\.csv"/,
  );
});
