/** Tests of reading PyTorch checkpoints, against a file that torch.save wrote and changes to it. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { memoryFile } from '../../test/fuzz/memory-file.ts';
import { readingFile } from '../files/index.ts';
import { PickledObject } from './pickle.ts';
import { readTensor } from './read-tensor.ts';
import type { StoredTensor } from './tensors.ts';
import { moduleTensors, readTorchCheckpoint, stateDict, unpickleTensors } from './torch-zip.ts';

const path = join(import.meta.dirname, '../../test/fixtures/torch/checkpoint.pt');
const bytes = await readFile(path);

async function values(key: string): Promise<Record<string, readonly number[]>> {
  const tensors = stateDict(await readingFile(path, readTorchCheckpoint), path, key);
  const read = [...tensors].filter(([, { type }]) => type !== 'int64');
  return Object.fromEntries(
    await Promise.all(read.map(async ([name, tensor]) => [name, [...(await readTensor(tensor)).data]])),
  );
}

/** Reads the fixture after all occurrences of some text, between two bytes, were overwritten. */
function readChanged(text: string, by: string, begin = 0, end = bytes.length): Promise<unknown> {
  const part = bytes.toString('latin1', begin, end);
  assert.ok(part.includes(text) && text.length === by.length);
  const changed = Buffer.from(bytes);
  changed.write(part.replaceAll(text, by), begin, 'latin1');
  return readTorchCheckpoint(memoryFile(changed, 'a.pt'));
}

const refuses = (reading: Promise<unknown>, message: RegExp) =>
  assert.rejects(reading, { name: 'LincirError', code: 'bad-file', message });

/** Where the central directory's entry of the first file begins: data.pkl's. */
const firstEntry = bytes.indexOf('PK\x01\x02');

test('tensors are found where they lie', async () => {
  assert.deepEqual(await values('Phi'), { 'module.weight': [0, 1, 2, 3, 4, 5], 'module.bias': [0.5, -0.5] });
  assert.deepEqual(await values('views'), { first: [0, 1, 2, 3], second: [4, 5, 6, 7, 8, 9, 10, 11] });
  const half = [0, -1.5, 65504, 2 ** -24];
  assert.deepEqual(await values('types'), {
    half,
    bfloat16: [0, -1.5, 65536, 6.007030606269836e-8],
    double: [0, -1.5, 65504, Math.fround(6e-8)],
    scalar: [Math.fround(2.6592)],
    empty: [],
  });
});

test('what else was saved comes as plain values', async () => {
  const checkpoint = await readingFile(path, readTorchCheckpoint);
  assert.ok(checkpoint instanceof Map);
  assert.equal(checkpoint.get('epoch'), 3);
  assert.deepEqual(checkpoint.get('numbers'), [-2, 300, 2 ** 40, 0.25, true, null, [1, 2]]);
  assert.deepEqual(checkpoint.get('size'), [2, 3]);
  const long = stateDict(checkpoint, path, 'types').get('long');
  assert.deepEqual(
    { ...long, source: long?.source.name, offset: 0 },
    { name: 'long', type: 'int64', shape: [2], source: path, offset: 0, byteLength: 16 },
  );
});

test('what torch.load takes beside tensors without running anything is taken', () => {
  const read = (pickle: string) =>
    unpickleTensors(memoryFile(bytes, 'a.pt'), Buffer.from(`\x80\x02${pickle}.`, 'latin1'), 'a/', new Map());
  assert.equal(read('ctorch\ndevice\nX\x03\0\0\0cpu\x85R'), 'cpu');
  assert.deepEqual(read('ctorch\nfloat16\n'), { global: 'torch.float16' });
  assert.deepEqual(read('c__builtin__\nset\n](K\x01K\x02e\x85R'), [1, 2]);
  assert.equal(read('c_codecs\nencode\nX\x02\0\0\0abX\x06\0\0\0latin1\x86R'), 'ab');
  assert.throws(() => read('ctorch\nfloat16\n)R'), /a use of "torch\.float16", which lincir refuses to run/);
  assert.throws(() => read('cargparse\nNamespace\n)R'), /a use of "argparse\.Namespace"/);
});

test('a dictionary without tensors is told with the keys that are there', async () => {
  const checkpoint = await readingFile(path, readTorchCheckpoint);
  for (const key of [undefined, 'epoch', 'phi']) {
    assert.throws(() => stateDict(checkpoint, 'a.pt', key), {
      message: /^a\.pt: .*found the keys "Phi, views, types/,
    });
  }
  assert.throws(() => stateDict(3, 'a.pt', 'Phi'), { message: /found no dictionary/ });
});

test('views that are not contiguous are read as torch.load reads them', async () => {
  const storage = new Uint8Array(Float32Array.from({ length: 12 }, (_, index) => index).buffer);
  const view = (start: number, shape: readonly number[], strides: readonly number[]): StoredTensor => {
    const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
    const tuple = (numbers: readonly number[]) =>
      `(${numbers.map((number) => `J${Buffer.from(Int32Array.of(number).buffer).toString('latin1')}`).join('')}t`;
    const id = `(${text('storage')}ctorch\nFloatStorage\n${text('0')}${text('cpu')}K\x0ctQ`;
    const args = `(${id}K${String.fromCharCode(start)}${tuple(shape)}${tuple(strides)}\x89ccollections\nOrderedDict\n)Rt`;
    const pickle = `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n${args}R.`;
    const file = memoryFile(storage, 'a.pt');
    const entries = new Map([['a/data/0', { offset: 0, size: 48 }]]);
    return unpickleTensors(file, Buffer.from(pickle, 'latin1'), 'a/', entries) as StoredTensor;
  };
  // The values are those of NumPy's as_strided.
  for (const [start, shape, strides, expected] of [
    [0, [4, 3], [1, 4], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
    [1, [3, 2], [4, 2], [1, 3, 5, 7, 9, 11]],
    [2, [2, 3], [0, 1], [2, 3, 4, 2, 3, 4]],
    [0, [3, 4], [1, 2], [0, 2, 4, 6, 1, 3, 5, 7, 2, 4, 6, 8]],
    [0, [2, 1, 3], [6, 9, 2], [0, 2, 4, 6, 8, 10]],
    [0, [3, 2, 2], [1, 6, 3], [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]],
    [5, [2], [6], [5, 11]],
    [3, [2, 2], [0, 0], [3, 3, 3, 3]],
    [0, [2, 0], [1, 1], []],
  ] as const) {
    const tensor = await readTensor(view(start, shape, strides));
    assert.deepEqual([tensor.shape, [...tensor.data]], [shape, expected], `${shape} by ${strides}`);
  }
  for (const [start, shape, strides] of [
    [0, [4, 3], [1, 5]],
    [6, [2], [6]],
    [1, [12], [1]],
    [0, [2 ** 31 - 1, 2], [2 ** 31 - 1, 1]],
  ] as const) {
    assert.throws(
      () => view(start, shape, strides),
      /a tensor in the 12 elements of "a\/data\/0"/,
      `${shape}`,
    );
  }
  assert.throws(() => view(0, [2 ** 30, 2 ** 30], [0, 0]), /at most 16777216 elements out of/);
  assert.throws(() => view(0, [2, 2], [1]), /as many strides/);
});

test('zip files that are not plain are refused', async () => {
  const withUint16 = (position: number, value: number) => {
    const changed = Buffer.from(bytes);
    changed.writeUInt16LE(value, firstEntry + position);
    return readTorchCheckpoint(memoryFile(changed, 'a.pt'));
  };
  await refuses(withUint16(10, 8), /data\.pkl": expected uncompressed data, found compression method 8/);
  await refuses(withUint16(8, 1), /data\.pkl": expected plain data, found encrypted data/);
  await refuses(withUint16(20, 1), /data\.pkl": expected uncompressed data/);
  await refuses(withUint16(42, 7), /data\.pkl": expected a header that agrees/);
  await refuses(readChanged('checkpoint/data.pkl', '/etc/passwd/da.pkl\0'), /a path inside the zip/);
  await refuses(readChanged('checkpoint/data.pkl', 'checkpoint/../a.pkl'), /a path inside the zip/);
  await refuses(readChanged('checkpoint/data.pkl', 'c:heckpoint/data.pk'), /a path inside the zip/);
  await refuses(
    readChanged('checkpoint/data.pkl', 'checkpoint\\data.pkl'.slice(0, 19)),
    /a path inside the zip/,
  );
  await refuses(
    readChanged('checkpoint/data/1', 'checkpoint/data/0'),
    /"checkpoint\/data\/0": expected every name once/,
  );
  await refuses(
    readChanged('checkpoint/data.pkl', 'checkpoint/data.txt'),
    /one data\.pkl in one folder, found 0/,
  );
  await refuses(readChanged('checkpoint/data/0', 'checkpoint/data/x'), /an entry "checkpoint\/data\/0"/);
  await refuses(readChanged('little', 'bigger'), /little-endian data, found the byte order "bigger"/);
});

test('sizes and offsets stand in the zip64 field when they are marked so', async () => {
  const nameEnd = firstEntry + 46 + 'checkpoint/data.pkl'.length;
  const end64 = bytes.indexOf('PK\x06\x06');
  const field = Buffer.alloc(28);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(24, 2);
  field.writeUInt32LE(bytes.readUInt32LE(firstEntry + 24), 4);
  field.writeUInt32LE(bytes.readUInt32LE(firstEntry + 20), 12);
  field.writeUInt32LE(bytes.readUInt32LE(firstEntry + 42), 20);
  const grown = Buffer.concat([bytes.subarray(0, nameEnd), field, bytes.subarray(nameEnd)]);
  grown.writeUInt16LE(field.length, firstEntry + 30);
  grown.fill(0xff, firstEntry + 20, firstEntry + 28);
  grown.fill(0xff, firstEntry + 42, firstEntry + 46);
  grown.writeUInt32LE(bytes.readUInt32LE(end64 + 40) + field.length, end64 + field.length + 40);
  const locator = end64 + field.length + 56;
  grown.writeUInt32LE(end64 + field.length, locator + 8);

  const checkpoint = await readTorchCheckpoint(memoryFile(grown, 'a.pt'));
  assert.equal(stateDict(checkpoint, 'a.pt', 'types').size, 6);
  grown.writeUInt32LE(1, nameEnd + 8);
  await refuses(readTorchCheckpoint(memoryFile(grown, 'a.pt')), /data\.pkl": expected uncompressed data/);
  grown.writeUInt16LE(16, nameEnd + 2);
  await refuses(readTorchCheckpoint(memoryFile(grown, 'a.pt')), /data\.pkl": /);
});

test('every cut of the file is refused', async () => {
  for (let length = 0; length < bytes.length; length += 1) {
    await refuses(readTorchCheckpoint(memoryFile(bytes.subarray(0, length), 'a.pt')), /^a\.pt: /);
  }
});

test('files of before PyTorch 1.6 are told how to become readable', async () => {
  const old = memoryFile(Buffer.from('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.', 'latin1'));
  await refuses(readTorchCheckpoint(old), /a bare pickle, as PyTorch wrote before 1\.6; .*torch\.save/);
});

test('pickles that would call something, or whose tensors do not fit, are refused', async () => {
  await refuses(
    readChanged('collections\nOrderedDict', 'collections\nxrderedDict'),
    /data\.pkl: .*"collections\.xrderedDict"/,
  );
  await refuses(readChanged('torch\nDoubleStorage', 'torch\nDoubleXtorage'), /"torch\.DoubleXtorage"/);
  // The pickle's instructions: K, a small number; \x86, a pair. The view at 4 is of shape [2, 4], strides [4, 1].
  await refuses(
    readChanged('K\x04K\x02K\x04\x86', 'K\x05K\x02K\x04\x86'),
    /a tensor in the 12 elements of "checkpoint\/data\/2", found 8 from 5/,
  );
  const strides = bytes.toString('latin1').match(/K\x04K\x02K\x04\x86q.K\x04K\x01\x86/s)?.[0] ?? '';
  const transposed = strides.replace('K\x04K\x01\x86', 'K\x01K\x02\x86');
  const turned = stateDict(await readChanged(strides, transposed), 'a.pt', 'views').get('second');
  assert.deepEqual([turned?.strides, turned?.byteLength], [[1, 2], 32]);
  await refuses(
    readChanged('cpuq\nK\x06', 'cpuq\nK\x07'),
    /7 elements of float32 in "checkpoint\/data\/0", found 24 bytes/,
  );
});

test("a TorchScript archive's tensors have the names of its state_dict, and its programs are left alone", async () => {
  const archive = join(import.meta.dirname, '../../test/fixtures/tiny-openai/ViT-tiny.pt');
  const tensors = moduleTensors(await readingFile(archive, readTorchCheckpoint), archive);
  const fused = tensors?.get('visual.transformer.resblocks.0.attn.in_proj_weight');
  assert.deepEqual([fused?.type, fused?.shape], ['float16', [192, 64]]);
  assert.deepEqual(tensors?.get('input_resolution')?.shape, []);
  assert.equal(moduleTensors(await readingFile(path, readTorchCheckpoint), path), undefined);
});

test('modules that hold themselves, or double at every level, have an end', () => {
  const self = new PickledObject('__torch__.Module');
  self.attributes = new Map([['inner', self]]);
  let doubled = new PickledObject('__torch__.Module');
  for (let level = 0; level < 40; level += 1) {
    const outer = new PickledObject('__torch__.Module');
    outer.attributes = new Map([
      ['a', doubled],
      ['b', doubled],
    ]);
    doubled = outer;
  }
  for (const module of [self, doubled]) {
    assert.throws(() => moduleTensors(module, 'a.pt'), { code: 'bad-file', message: /without an end/ });
  }
});
