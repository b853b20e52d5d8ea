/** Embeddings with their names out of each format, and what is refused. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type TensorToWrite, writeNpy, writeSafetensors } from '../files/index.ts';
import { openEmbeddings } from './embeddings.ts';

const names = ['a cat.jpg', 'two\nlines', 'ütf 🐈'];
const values = Float32Array.of(1, 2, 3, 0, -5, 0.5);
const nameLines = Buffer.from(names.map((name) => `${JSON.stringify(name)}\n`).join(''));

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-embeddings-'));
});
after(() => rm(folder, { recursive: true }));

const matrix = (name = 'embeddings', data = values, dimensions = 2): TensorToWrite => ({
  ...{ name, type: 'float32', data },
  shape: [data.length / dimensions, dimensions],
});
const namesTensor = (data: Uint8Array = nameLines): TensorToWrite => ({
  ...{ name: 'names', type: 'uint8', data },
  shape: [data.length],
});

async function safetensors(name: string, ...tensors: TensorToWrite[]): Promise<string> {
  const path = join(folder, `${name}.safetensors`);
  await writeSafetensors(path, tensors, { model: 'tiny', fingerprint: 'f00' });
  return path;
}

async function npy(name: string, data = values, shape: readonly number[] = [3, 2]): Promise<string> {
  const path = join(folder, `${name}.npy`);
  await writeNpy(
    path,
    shape,
    (async function* () {
      yield data;
    })(),
  );
  return path;
}

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

async function rowsOf(path: string, namesFile?: string) {
  const embeddings = await openEmbeddings(path, namesFile);
  const batches = await Array.fromAsync(embeddings.rows());
  return {
    ...embeddings,
    names: batches.flatMap((batch) => batch.names),
    data: batches.flatMap((batch) => [...batch.embeddings.data]),
    shapes: batches.map((batch) => batch.embeddings.shape),
  };
}

test('what lincir embed writes is read, with what it tells of the model', async () => {
  const path = await safetensors('own', matrix(), namesTensor());
  const found = await rowsOf(path);
  assert.deepEqual([found.count, found.dimensions], [3, 2]);
  assert.deepEqual([found.model, found.fingerprint], ['tiny', 'f00']);
  assert.ok(found.size > 100 && Math.abs(found.modified - Date.now()) < 60_000);
  assert.deepEqual(found.names, names);
  assert.deepEqual(found.data, [...values]);
  assert.deepEqual(found.shapes, [[3, 2]]);
});

test('a NumPy file is read in every order of bytes and elements', async () => {
  const fixture = join(import.meta.dirname, '../../test/fixtures/npy.json');
  const { rows, files } = JSON.parse(await readFile(fixture, 'utf8'));
  const named = await file('orders.txt', 'a\nb\nc\nd\n');
  for (const [order, hex] of Object.entries<string>(files)) {
    const path = join(folder, 'orders.npy');
    await writeFile(path, Buffer.from(hex, 'hex'));
    assert.deepEqual((await rowsOf(path, named)).data, rows.flat(), order);
  }
});

test('columns of a NumPy file become rows some thousand at a time', async () => {
  const [count, dimensions] = [5000, 3];
  const header = `{'descr': '>f4', 'fortran_order': True, 'shape': (${count}, ${dimensions}), }`.padEnd(117);
  const data = Buffer.alloc(4 * count * dimensions);
  for (let at = 0; at < count * dimensions; at += 1) data.writeFloatBE(at + 1, 4 * at);
  const path = join(folder, 'columns.npy');
  await writeFile(path, Buffer.concat([Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1'), data]));
  const { data: read, shapes } = await rowsOf(path, await file('many.txt', 'x\n'.repeat(count)));
  assert.ok(shapes.length > 1);
  const at = (row: number) => read.slice(row * dimensions, (row + 1) * dimensions);
  assert.deepEqual(
    [at(0), at(4999)],
    [
      [1, 5001, 10_001],
      [5000, 10_000, 15_000],
    ],
  );
});

test('another precision, under another name, is read if it is the only matrix', async () => {
  const half: TensorToWrite = {
    ...{ name: 'features', type: 'float16', shape: [1, 2] },
    data: Uint16Array.of(0x3c00, 0xc000),
  };
  const other: TensorToWrite = { name: 'scale', type: 'float32', shape: [1], data: Float32Array.of(7) };
  const path = await safetensors('half', half, other, namesTensor(Buffer.from('"one"')));
  assert.deepEqual((await rowsOf(path)).data, [1, -2]);
  const two = await safetensors('two', matrix('a'), matrix('b'), namesTensor());
  await assert.rejects(openEmbeddings(two), { code: 'bad-file', message: /named "embeddings".*2 matrices/ });
});

test('NumPy: names beside it, or given', async () => {
  const path = await npy('photos');
  await assert.rejects(openEmbeddings(path), {
    code: 'bad-argument',
    message: /no file ".*photos\.names\.jsonl"; give them with `names`/,
  });
  await file('photos.names.jsonl', nameLines.toString());
  const found = await rowsOf(path);
  assert.deepEqual(found.names, names);
  assert.deepEqual(found.data, [...values]);
  assert.equal('model' in found, false);
  assert.deepEqual((await rowsOf(path, await file('n.txt', 'a\r\n"b"\n\n'))).names, ['a', '"b"', '']);
  assert.deepEqual((await rowsOf(path, await file('n.JSONL', '"a"\n"b"\n"c"'))).names, ['a', 'b', 'c']);
  await assert.rejects(openEmbeddings(path, join(folder, 'none.txt')), { code: 'not-found' });
});

test('many rows come in several batches', async () => {
  const data = Float32Array.from({ length: 10_000 }, (_, index) => index + 1);
  const path = await npy('many', data, [10_000, 1]);
  const lines = await file('many.txt', Array.from(data, (value) => `${value}\n`).join(''));
  const found = await rowsOf(path, lines);
  assert.deepEqual(found.shapes, [
    [4096, 1],
    [4096, 1],
    [1808, 1],
  ]);
  assert.deepEqual(found.names.map(Number), [...data]);
  assert.deepEqual(found.data, [...data]);
});

test('names that do not fit are refused at once', async () => {
  const path = await npy('count');
  for (const [content, found] of [
    ['a\nb\n', 2],
    ['a\nb\nc\nd', 4],
  ] as const) {
    await assert.rejects(openEmbeddings(path, await file('count.txt', content)), {
      code: 'bad-file',
      message: new RegExp(`expected 3 names, one for each row, found ${found}; .*\`names\``),
    });
  }
  const numbers = await file('numbers.jsonl', '"a"\n2\n"c"\n');
  await assert.rejects(
    openEmbeddings(path, numbers),
    /numbers\.jsonl: line 2: expected a JSON string, found "2"/,
  );
  const bad = await safetensors('bad-names', matrix(), namesTensor(Buffer.from([0x22, 0xff, 0x22])));
  await assert.rejects(openEmbeddings(bad), /names: line 1: .*not UTF-8/);
});

test('rows that have no direction are named', async () => {
  const three = await file('three.txt', 'a\nb\nc\n');
  const refuses = async (data: readonly number[], message: RegExp) => {
    const { rows } = await openEmbeddings(await npy('broken', Float32Array.from(data)), three);
    await assert.rejects(rows().next(), { code: 'bad-file', message });
  };
  await refuses([1, 2, 0, 0, 1, 2], /broken\.npy: row 2, "b": .* found zeros; leave this row out/);
  await refuses([1, 2, 1, 2, 1, NaN], /row 3, "c": .* found NaN/);
  await refuses([Infinity, 2, 1, 2, 1, 1], /row 1, "a": .* found Infinity/);
});

test('what holds no embeddings is refused', async () => {
  await assert.rejects(openEmbeddings('x.csv'), {
    code: 'bad-argument',
    message: /ends in \.safetensors or \.npy/,
  });
  await assert.rejects(openEmbeddings(join(folder, 'none.npy')), { code: 'not-found' });
  await assert.rejects(openEmbeddings(await npy('flat', values, [6])), /the shape "\[6\]"/);
  await assert.rejects(openEmbeddings(await npy('empty', new Float32Array(), [3, 0])), /1 to 65536 columns/);
  const whole: TensorToWrite = { name: 'embeddings', type: 'uint8', shape: [1, 1], data: Uint8Array.of(1) };
  await assert.rejects(openEmbeddings(await safetensors('whole', whole)), /"embeddings" of uint8/);
  const wide = { ...namesTensor(), type: 'int8' } as const;
  await assert.rejects(openEmbeddings(await safetensors('wide', matrix(), wide)), /"names": expected uint8/);
});
