/** Tests of reading and writing safetensors files, and of headers that lie. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { memoryFile, safetensorsBytes } from '../../test/fuzz/memory-file.ts';
import { readingFile, type TensorToWrite, writeSafetensors } from '../files/index.ts';
import { readTensor } from './read-tensor.ts';
import { readSafetensorsHeader } from './safetensors.ts';

const folder = await mkdtemp(join(tmpdir(), 'lincir-safetensors-'));
after(() => rm(folder, { recursive: true }));

const read = (header: unknown, dataLength: number) =>
  readSafetensorsHeader(memoryFile(safetensorsBytes(header, dataLength), 'a.safetensors'));

const tensor = (begin: number, end: number, shape: unknown = [end - begin], dtype: unknown = 'U8') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

async function* chunks(...parts: readonly Uint8Array[]) {
  yield* parts;
}

test('what is written is read back', async () => {
  const path = join(folder, 'a.safetensors');
  const half = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00, 0x7e00);
  const tensors: TensorToWrite[] = [
    { name: 'bytes', type: 'uint8', shape: [3], data: Uint8Array.of(1, 2, 3) },
    { name: 'half', type: 'float16', shape: [2, 3], data: half },
    { name: 'brain', type: 'bfloat16', shape: [2], data: Uint16Array.of(0x3fc0, 0xff80) },
    { name: 'scalar', type: 'float32', shape: [], data: Float32Array.of(2.5) },
    { name: 'double', type: 'float64', shape: [2], data: Float64Array.of(0.1, 1e300) },
    { name: 'empty', type: 'int64', shape: [0, 4], data: new BigInt64Array() },
    {
      name: '__proto__',
      type: 'float32',
      shape: [2, 1],
      data: chunks(Uint8Array.of(0, 0, 0x80), new Uint8Array(), Uint8Array.of(0x3f, 0, 0, 0, 0xc0)),
    },
  ];
  await writeSafetensors(path, tensors, { format: 'pt', näme: '"quoted"' });

  const bytes = await readFile(path);
  assert.equal((8 + Number(bytes.readBigUInt64LE())) % 64, 0);
  const { tensors: stored, metadata } = await readingFile(path, readSafetensorsHeader);
  assert.deepEqual(metadata, { format: 'pt', näme: '"quoted"' });
  assert.deepEqual([...stored.keys()].sort(), tensors.map(({ name }) => name).sort());

  const values = async (name: string) => {
    const found = stored.get(name);
    assert.ok(found);
    assert.equal(found.offset % (found.byteLength === 0 ? 8 : 2), 0);
    return (await readTensor(found)).data;
  };
  assert.deepEqual(await values('half'), Float32Array.of(1, -2, 2 ** -24, 65504, -Infinity, NaN));
  assert.deepEqual(await values('brain'), Float32Array.of(1.5, -Infinity));
  assert.deepEqual(await values('scalar'), Float32Array.of(2.5));
  assert.deepEqual(await values('double'), Float32Array.of(0.1, Infinity));
  assert.deepEqual(await values('__proto__'), Float32Array.of(1, -2));
  await assert.rejects(values('empty'), { code: 'bad-file', message: /"empty".*float64, .*found int64/ });
});

test('what Python reads is read: no metadata, tensors in any order, types that no model needs', async () => {
  assert.deepEqual((await read({ __metadata__: null, a: tensor(0, 1) }, 1)).metadata, {});
  assert.equal((await read({}, 0)).tensors.size, 0);
  const spaced = ` ${JSON.stringify({ b: tensor(1, 3, [1], 'U16'), none: tensor(1, 1, [0, 3]), a: tensor(0, 1, []) })} \n`;
  const { tensors } = await read(spaced, 3);
  assert.deepEqual([...tensors.keys()], ['b', 'none', 'a']);
  const wide = { a: tensor(0, 8, [1], 'U64'), b: { ...tensor(8, 12, [1], 'U32'), note: 'more' } };
  assert.deepEqual((await read(wide, 12)).tensors.get('b')?.type, 'uint32');
});

test('data that does not fit its shape is not written', async () => {
  const path = join(folder, 'b.safetensors');
  const short = { name: 'w', type: 'float32', shape: [2], data: chunks(new Uint8Array(7)) } as const;
  await assert.rejects(writeSafetensors(path, [short]), {
    code: 'bad-argument',
    message: /"w".*8 bytes.*7 bytes/,
  });
  const twice = { name: 'w', type: 'uint8', shape: [1], data: new Uint8Array(1) } as const;
  await assert.rejects(writeSafetensors(path, [twice, twice]), { code: 'bad-argument', message: /"w"/ });
  assert.ok(!(await readdir(folder)).some((name) => name.startsWith('b.') || name.endsWith('.tmp')));
});

test('lying headers are refused', async () => {
  const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
  const cases: readonly (readonly [header: unknown, dataLength: number, message: RegExp])[] = [
    ['{"a": ', 0, /JSON in UTF-8/],
    ['[]', 0, /a JSON object/],
    ['null', 0, /a JSON object/],
    [`{"a":${JSON.stringify(tensor(0, 1))},"a":${JSON.stringify(tensor(0, 1))}}`, 1, /"a" twice/],
    ['{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}', 1, /"shape" twice/],
    [{ a: null }, 0, /tensor "a"/],
    [`{"a": ${deep}}`, 0, /header: expected JSON nested at most 1000 deep/],
    [`{"__metadata__": ${deep}}`, 0, /nested at most 1000 deep/],
    [{ __metadata__: [] }, 0, /__metadata__: expected an object/],
    [{ __metadata__: { a: 1 } }, 0, /__metadata__: a: expected string/],
    [
      { a: tensor(0, 1, [1], 'F8_E4M3') },
      1,
      /a dtype out of F64, .*found "F8_E4M3"; convert .*torch\.float16/,
    ],
    [{ a: tensor(0, 1, [1], 'F8_E5M2') }, 1, /found "F8_E5M2"; convert/],
    [{ a: tensor(0, 8, [1], 'C64') }, 8, /found "C64"; convert/],
    [{ a: tensor(0, 1, [-1]) }, 1, /tensor "a".*whole numbers/],
    [{ a: tensor(0, 1, [0.5]) }, 1, /tensor "a".*whole numbers/],
    [{ a: tensor(0, 1, [2 ** 60]) }, 1, /tensor "a".*whole numbers/],
    [{ a: tensor(0, 0, [...Array(30).fill(2 ** 52), 0]) }, 1, /tensor "a"/],
    [{ a: tensor(0, 1, [2 ** 33, 2 ** 33]) }, 1, /tensor "a".*found 1 bytes/],
    [{ a: tensor(0, 4, [2], 'F32') }, 4, /8 bytes for F32 "\[2\]", found 4 bytes/],
    [{ a: tensor(1, 0, [1]) }, 1, /within the 1 bytes of data, found \[1, 0\]/],
    [{ a: tensor(0, 2) }, 1, /within the 1 bytes of data, found \[0, 2\]/],
    [{ a: tensor(0, 2), b: tensor(1, 3) }, 3, /tensor "b".*an overlap/],
    [{ a: tensor(0, 1), b: tensor(2, 3) }, 3, /tensor "b".*a hole/],
    [{ a: tensor(1, 2) }, 2, /tensor "a".*a hole/],
    [{ a: tensor(0, 1) }, 3, /2 bytes after the last one/],
  ];
  for (const [header, dataLength, message] of cases) {
    await assert.rejects(read(header, dataLength), { name: 'LincirError', code: 'bad-file', message });
    await assert.rejects(read(header, dataLength), { message: /^a\.safetensors: .{1,900}$/ });
  }
});

test('header lengths that cannot be are refused before anything is read', async () => {
  const lying = (length: bigint, size: number) => {
    const file = memoryFile(new Uint8Array(), 'a.safetensors');
    const lengthBytes = new Uint8Array(BigUint64Array.of(length).buffer);
    return readSafetensorsHeader({ ...file, size, read: async (_, count) => lengthBytes.slice(0, count) });
  };
  await assert.rejects(lying(2n ** 60n, 1000), { message: /a length of 1152921504606846976/ });
  await assert.rejects(lying(993n, 1000), { message: /a length of 993/ });
  await assert.rejects(lying(2n ** 25n, 2 ** 40), { message: /at most 16777216 bytes/ });
  await assert.rejects(lying(0n, 7), { message: /at least 8 bytes, found a file of 7 bytes/ });
});
