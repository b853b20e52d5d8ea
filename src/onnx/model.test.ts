/** The ONNX model that a graph becomes: symbols, names, and weights left where they lie. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { type TestContext, test } from 'node:test';
import { memoryFile } from '../../test/fuzz/memory-file.ts';
import { readSafetensorsHeader, type StoredTensor } from '../core/index.ts';
import { readingFile, writeSafetensors } from '../files/index.ts';
import { asFloat32, linear } from './functions.ts';
import { gradients } from './gradients.ts';
import { buildModel } from './model.ts';
import { add, cast, concat, dimensions, mul, reduceSum, reshape } from './operators.ts';
import { Session } from './session.ts';
import { constant, input, type Value, weight } from './values.ts';

const rows = input('rows', 'float32', ['n', 2]);
const twoRows = { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };

async function run(outputs: Record<string, Value>, feeds: Parameters<Session['run']>[0] = {}) {
  const session = await Session.create(outputs);
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

test('sizes are read off the inputs when the graph runs', async () => {
  const columns = input('columns', 'float32', [3, 'm']);
  const sizes = cast(dimensions(['n', 'm', '2*m*n-n+1', 'm-n', 5]), 'float32');
  const uses = add(reduceSum(rows, [0, 1]), reduceSum(columns, [0, 1]));
  const outputs = { sizes, uses };
  const feeds = (m: number) => ({
    rows: twoRows,
    columns: { shape: [3, m], data: new Float32Array(3 * m) },
  });
  assert.deepEqual([...(await run(outputs, feeds(4))).sizes!.data], [2, 4, 15, 2, 5]);
  assert.deepEqual([...(await run(outputs, feeds(1))).sizes!.data], [2, 1, 3, -1, 5]);
});

test('a size that no input has is refused', () => {
  const outputs = { y: add(rows, cast(dimensions(['k', 2]), 'float32')) };
  assert.throws(() => buildModel(outputs), {
    code: 'bad-argument',
    message: "size 'k': expected an input of the graph that has it, found inputs rows",
  });
  assert.throws(() => buildModel({ y: dimensions(['k']) }), /found inputs \(none\)/);
});

test('only what the outputs depend on becomes part of the model', () => {
  const unused = input('unused', 'float32', ['n']);
  add(unused, unused);
  assert.deepEqual([...buildModel({ y: mul(rows, rows) }).inputs.keys()], ['rows']);
});

test('names must tell inputs and outputs apart', () => {
  const again = input('rows', 'float32', ['n', 2]);
  assert.throws(() => buildModel({ y: add(rows, again) }), /input 'rows': expected one input of that name/);
  assert.throws(
    () => buildModel({ rows: add(rows, rows) }),
    /output 'rows': expected a name that no input has/,
  );
});

test('an output may be an input, a constant, or the same as another output', async () => {
  const square = mul(rows, rows);
  const found = await run({ rows2: rows, one: constant(1), a: square, b: square }, { rows: twoRows });
  assert.deepEqual([...found.rows2!.data], [1, 2, 3, 4]);
  assert.deepEqual([...found.one!.data], [1]);
  assert.deepEqual([...found.a!.data], [...found.b!.data]);
});

test('a deep graph is built without deep recursion', async () => {
  let value: Value = rows;
  for (let layer = 0; layer < 20_000; layer++) value = add(value, constant(1));
  assert.ok(buildModel({ value }).bytes.length > 20_000);
});

test('weights of several files and folders are used where they lie', async (context) => {
  const folder = await temporaryFolder(context);
  await mkdir(join(folder, 'deep', 'er'), { recursive: true });
  const a = await store(join(folder, 'a.safetensors'), 'float32', Float32Array.of(1, 2, 3, 4));
  const b = await store(join(folder, 'b.safetensors'), 'float32', Float32Array.of(10, 20, 30, 40));
  const c = await store(join(folder, 'deep', 'er', 'c.safetensors'), 'float32', Float32Array.of(5, 6, 7, 8));

  const beside = { y: add(weight(a), weight(b)) };
  assert.equal(buildModel(beside).folder, (await realpath(folder)) + sep);
  assert.deepEqual([...(await run(beside)).y!.data], [11, 22, 33, 44]);

  const nested = { y: concat([weight(c), weight(a, [2, 2]), weight(b)], 0) };
  assert.equal(buildModel(nested).folder, (await realpath(folder)) + sep);
  assert.deepEqual([...(await run(nested)).y!.data], [5, 6, 7, 8, 1, 2, 3, 4, 10, 20, 30, 40]);

  assert.equal(buildModel({ y: weight(c) }).folder, (await realpath(join(folder, 'deep', 'er'))) + sep);
});

test('weights in memory, or on no disk that holds all of them, give the same', async (context) => {
  const path = join(await temporaryFolder(context), 'a.safetensors');
  const a = await store(path, 'float32', Float32Array.of(1, 2, 3, 4));
  const bytes = new Uint8Array(Float32Array.of(0, 10, 20, 30, 40, 50).buffer);
  const b = { ...a, source: memoryFile(bytes, 'b'), offset: 4 };
  const sum = { y: add(weight(a), weight(b)), turned: asFloat32({ ...b, strides: [1, 2] }) };
  const { folder, weights } = buildModel(sum);
  assert.equal(folder, undefined);
  assert.deepEqual(
    Array.from(weights.values(), ({ source }) => source.name),
    [path, 'b', 'b'],
  );
  const found = await run(sum);
  assert.deepEqual([...found.y!.data], [11, 22, 33, 44]);
  assert.deepEqual([...found.turned!.data], [10, 30, 20, 40]);

  const onWindows = (realPath: string) => weight({ ...a, source: { ...b.source, realPath } });
  const below = (...paths: readonly string[]) => buildModel({ y: concat(paths.map(onWindows), 0) });
  const nested = below('C:\\models\\a\\1.bin', 'C:\\models\\b\\c\\2.bin');
  assert.equal(nested.folder, 'C:\\models\\');
  for (const location of ['a/1.bin', 'b/c/2.bin']) assert.ok(Buffer.from(nested.bytes).includes(location));
  assert.equal(below('C:\\a.bin', 'C:\\b\\c.bin').folder, 'C:\\');
  assert.equal(below('C:\\a.bin', 'D:\\a.bin').folder, undefined);
  assert.equal(below('/ab/x.bin', '/abc/x.bin').folder, '/');
});

test('float16 and bfloat16 weights become float32', async (context) => {
  const folder = await temporaryFolder(context);
  const numbers = Float32Array.of(1, -2.5, 0.15625, 96);
  const halves = Uint16Array.of(0x3c00, 0xc100, 0x3100, 0x5600);
  const half = await store(join(folder, 'half.safetensors'), 'float16', halves);
  const upperHalves = new Uint16Array(numbers.buffer).filter((_, index) => index % 2 === 1);
  const brain = await store(join(folder, 'brain.safetensors'), 'bfloat16', upperHalves);
  const { h, b } = await run({ h: asFloat32(half), b: asFloat32(brain) });
  assert.deepEqual(h!.data, numbers);
  assert.deepEqual(b!.data, numbers);
});

test('a weight that lies turned is turned back, and one with gaps is refused', async (context) => {
  const path = join(await temporaryFolder(context), 'w.safetensors');
  const stored = await store(path, 'float32', Float32Array.of(0, 1, 2, 3));
  for (const [shape, strides, expected] of [
    [
      [2, 2],
      [1, 2],
      [0, 2, 1, 3],
    ],
    [
      [2, 1, 2],
      [1, 7, 2],
      [0, 2, 1, 3],
    ],
    [
      [1, 2, 2],
      [1, 1, 2],
      [0, 2, 1, 3],
    ],
  ] as const) {
    const { y } = await run({ y: asFloat32({ ...stored, shape, strides }) });
    assert.deepEqual([y!.shape, [...y!.data]], [shape, expected], `${shape} by ${strides}`);
  }
  const view = (strides: readonly number[]) => ({ ...stored, strides });
  assert.deepEqual([...(await run({ y: asFloat32(view([1, 2]), [4]) })).y!.data], [0, 2, 1, 3]);
  for (const strides of [
    [3, 1],
    [0, 1],
    [1, 1],
  ]) {
    assert.throws(() => asFloat32(view(strides)), { code: 'bad-file', message: /\.contiguous\(\)/ });
  }
  assert.throws(() => asFloat32(view([1, 2]), [5]), { code: 'bad-file', message: /expected shape \[5\]/ });
  assert.throws(() => weight(view([1, 2])), { code: 'bad-file' });
});

test('a weight is a target of gradients like any other value', async (context) => {
  const folder = await temporaryFolder(context);
  const stored = await store(
    join(folder, 'w.safetensors'),
    'float16',
    Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400),
  );
  const parameter = asFloat32(stored);
  const loss = reduceSum(linear(rows, parameter), [0, 1]);
  const [ofWeight, ofRows] = gradients(loss, [parameter, rows]);
  const found = await run({ ofWeight: ofWeight!, ofRows: ofRows! }, { rows: twoRows });
  assert.deepEqual([...found.ofWeight!.data], [4, 6, 4, 6]);
  assert.deepEqual([...found.ofRows!.data], [4, 6, 4, 6]);
});

test('a weight keeps its number of elements whatever shape it takes', async (context) => {
  const stored = await store(
    join(await temporaryFolder(context), 'w.safetensors'),
    'float32',
    new Float32Array(4),
  );
  assert.deepEqual((await run({ y: reshape(weight(stored, [4]), [1, 4]) })).y!.shape, [1, 4]);
  assert.throws(() => weight(stored, [5]), {
    code: 'bad-file',
    message: /expected shape \[5\], found \[2, 2\]/,
  });
});

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-model-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** Writes a file with one tensor of shape [2, 2]. */
async function store(
  path: string,
  type: StoredTensor['type'],
  values: ArrayBufferView,
): Promise<StoredTensor> {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  await writeSafetensors(path, [{ name: 'w', type, shape: [2, 2], data }]);
  const { tensors } = await readingFile(path, readSafetensorsHeader);
  return tensors.get('w')!;
}
