/** Sessions: what they accept, what they refuse, and how they end. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runtime } from '#runtime';
import { add, gather, matmul, mul, reshape } from './operators.ts';
import type { RunTensor, SessionOptions } from './runtime.ts';
import { Session } from './session.ts';
import { input, type Value } from './values.ts';

const x = input('x', 'float32', ['rows', 3]);
const y = input('y', 'float32', ['rows', 1]);
const ids = input('ids', 'int64', ['count']);
const product = { product: gather(mul(x, y), ids) };
const feeds = {
  x: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  y: { shape: [2, 1], data: Float32Array.of(10, 100) },
  ids: { shape: [1], data: BigInt64Array.of(1n) },
};

async function open(
  context: TestContext,
  outputs: Record<string, Value>,
  options?: SessionOptions,
): Promise<Session> {
  const session = await Session.create(outputs, options);
  context.after(() => session.dispose());
  return session;
}

test('one session serves several sizes', async (context) => {
  const session = await open(context, product);
  const one = await session.run(feeds);
  assert.deepEqual(one, { product: { shape: [1, 3], data: Float32Array.of(400, 500, 600) } });
  const several = await session.run({
    x: { shape: [1, 3], data: Float32Array.of(1, 2, 3) },
    y: { shape: [1, 1], data: Float32Array.of(2) },
    ids: { shape: [2], data: BigInt64Array.of(0n, 0n) },
  });
  assert.deepEqual(several, { product: { shape: [2, 3], data: Float32Array.of(2, 4, 6, 2, 4, 6) } });
});

test('feeds that do not fit are refused by name', async (context) => {
  const session = await open(context, product);
  const { x: some, y: other, ids: rows } = feeds;
  const cases: [Record<string, RunTensor>, RegExp][] = [
    [{ x: some, y: other }, /input 'ids': expected int64 values of shape \[count\], found none/],
    [{ ...feeds, z: other }, /input 'z': expected one of x, y, ids, found no such input/],
    [
      { ...feeds, x: { ...some, shape: [3, 2] } },
      /input 'x': expected \[rows, 3\], here \[3, 3\], found \[3, 2\]/,
    ],
    [{ ...feeds, x: { ...some, shape: [6] } }, /input 'x': expected \[rows, 3\].*found \[6\]/],
    [
      { ...feeds, y: { shape: [1, 1], data: Float32Array.of(1) } },
      /input 'y': .*here \[2, 1\], found \[1, 1\]/,
    ],
    [{ ...feeds, y: { shape: [2, 1], data: Float32Array.of(1) } }, /input 'y': expected 2 values, found 1/],
    [
      { ...feeds, ids: { shape: [1], data: Float32Array.of(1) } },
      /'ids': expected int64 values, found float32/,
    ],
    [
      { ...feeds, y: { shape: [2, 1], data: BigInt64Array.of(1n, 2n) } },
      /'y': expected float32 values, found int64/,
    ],
    [{ x: some, y: other, toString: rows }, /input 'toString': expected one of x, y, ids/],
  ];
  for (const [given, message] of cases) {
    await assert.rejects(session.run(given), { name: 'LincirError', code: 'bad-argument', message });
  }
});

test('a size that is a polynomial is checked too', async (context) => {
  const flat = input('flat', 'float32', ['2*rows']);
  const session = await open(context, { sum: add(reshape(flat, ['rows', 2]), y) });
  const { y: other } = feeds;
  const sum = await session.run({ flat: { shape: [4], data: Float32Array.of(1, 2, 3, 4) }, y: other });
  assert.deepEqual([...sum.sum!.data], [11, 12, 103, 104]);
  await assert.rejects(session.run({ flat: { shape: [2], data: Float32Array.of(1, 2) }, y: other }), {
    message: /input 'flat': expected \[2\*rows\], here \[4\], found \[2\]/,
  });
});

test('what only the engine can find comes as an error of the device', async (context) => {
  const session = await open(context, product);
  const outside = { ...feeds, ids: { shape: [1], data: BigInt64Array.of(7n) } };
  await assert.rejects(session.run(outside), {
    name: 'LincirError',
    code: 'device',
    message: /indices.*bound/i,
  });
});

test('after dispose() a session refuses to run, and a second dispose() does nothing', async () => {
  const session = await Session.create(product);
  await session.dispose();
  await session.dispose();
  await assert.rejects(session.run(feeds), {
    code: 'bad-argument',
    message: /a session: expected one that was not disposed of/,
  });
});

test('a device that is missing is named, with what it needs', async (context) => {
  const unknown = { device: 'tpu' as 'cpu' };
  await assert.rejects(Session.create(product, unknown), {
    code: 'device',
    message: /device 'tpu'.*offers here/,
  });
  const session = await Session.create(product, { device: 'cuda' }).catch((error: unknown) => error);
  if (session instanceof Session) {
    await session.dispose();
    context.skip('CUDA works here');
    return;
  }
  assert.ok(session instanceof Error);
  assert.match(session.message, /^device 'cuda': expected .*(CUDA|NVIDIA's driver|choose another device)/);
});

test('the number of a device is for CUDA, where there may be several', async () => {
  for (const options of [{ deviceId: 1 }, { device: 'cuda', deviceId: -1 } as const]) {
    if (options.device === 'cuda' && !runtime.devices().includes('cuda')) continue;
    const message = /^deviceId: expected a whole number from 0 on, for the device 'cuda'/;
    await assert.rejects(Session.create(product, options), { code: 'bad-argument', message });
  }
  const session = await Session.create(product, { device: 'cuda', deviceId: 99 }).catch((error) => error);
  assert.ok(session instanceof Error, 'no machine has so many');
  assert.match(session.message, /^device 'cuda'/);
});

test('options reach the engine: a profile is written, threads and weight layout are accepted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-profile-'));
  try {
    const options = { profile: join(folder, 'run'), threads: 1 };
    const session = await Session.create({ square: matmul(x, input('w', 'float32', [3, 3])) }, options);
    const w = { shape: [3, 3], data: new Float32Array(9) };
    assert.deepEqual((await session.run({ x: feeds.x, w })).square!.shape, [2, 3]);
    await session.dispose();
    const [file] = await readdir(folder);
    assert.match(await readFile(join(folder, file!), 'utf8'), /MatMul/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a number of threads that no machine has is refused', async () => {
  const output = input('x', 'float32', [1]);
  for (const threads of [0, 1.5, 99_999]) {
    await assert.rejects(Session.create({ output }, { threads }), {
      code: 'bad-argument',
      message: /^threads: expected/,
    });
  }
});
