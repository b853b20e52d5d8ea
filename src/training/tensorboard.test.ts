/** Event files, read back by an own reading of their format. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Reader } from 'protobufjs/light.js';
import type { Metrics } from './metrics.ts';
import { crc32c, openTensorboardLog } from './tensorboard.ts';

async function runFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-tensorboard-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

const time = '2026-01-02T03:04:05.678Z';

function stepAt(step: number, loss: number): Metrics {
  return {
    ...{ kind: 'step', step, loss, learningRate: 0.25, gradientNorm: 0.5, captionsPerSecond: 40 },
    ...{ gflopsPerSecond: 140, seconds: 1, memoryBytes: 1, time },
  };
}

const validation: Metrics = {
  ...{ kind: 'validation', step: 3, name: 'mini', phi: 'ema', metrics: { 'R@1': 24.25 } },
  ...{ best: true, time },
};

async function* records(...given: readonly Metrics[]): AsyncGenerator<Metrics, void, void> {
  yield* given;
}

async function eventFile(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.includes('tfevents'));
  assert.equal(names.length, 1, String(names));
  assert.match(names[0]!, /^events\.out\.tfevents\.\d{10}\.lincir$/);
  return join(folder, names[0]!);
}

/** Each record of an event file: length, masked checksum, data, masked checksum. */
async function readRecords(folder: string): Promise<Buffer[]> {
  const bytes = await readFile(await eventFile(folder));
  const checked = (from: number, to: number) => {
    const masked = (bytes.readUInt32LE(to) - 0xa282ead8) >>> 0;
    assert.equal(((masked << 15) | (masked >>> 17)) >>> 0, crc32c(bytes.subarray(from, to)));
    return bytes.subarray(from, to);
  };
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 16 + found.at(-1)!.length) {
    const length = Number(checked(at, at + 8).readBigUInt64LE());
    found.push(checked(at + 12, at + 12 + length));
  }
  return found;
}

/** Fields of a protobuf message by number; the readers say of what type they are. */
function fields(bytes: Uint8Array, readers: Readonly<Record<number, (reader: Reader) => unknown>>) {
  const found: [number, unknown][] = [];
  for (const reader = Reader.create(bytes); reader.pos < reader.len; ) {
    const id = reader.uint32() >>> 3;
    found.push([id, readers[id]!(reader)]);
  }
  return found;
}

/** `step tag value` of each scalar, in the file's order. */
async function readScalars(folder: string): Promise<string[]> {
  const [version, ...events] = await readRecords(folder);
  const types = {
    1: (reader: Reader) => reader.double(),
    2: (reader: Reader) => Number(reader.int64()),
    3: (reader: Reader) => reader.string(),
    5: (reader: Reader) => reader.bytes(),
  };
  assert.deepEqual(fields(version!, types)[1], [3, 'brain.Event:2']);
  return events.flatMap((event) => {
    const [wallTime, step, [, summary]] = fields(event, types) as [unknown, [2, number], [5, Uint8Array]];
    assert.deepEqual(wallTime, [1, Date.parse(time) / 1000]);
    return fields(summary, { 1: (reader) => reader.bytes() }).map(([, value]) => {
      const scalar = { 1: (reader: Reader) => reader.string(), 2: (reader: Reader) => reader.float() };
      return [step[1], ...fields(value as Uint8Array, scalar).map(([, part]) => part)].join(' ');
    });
  });
}

test('the checksum is that of RFC 3720', () => {
  const counted = Uint8Array.from({ length: 32 }, (_, index) => index);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(counted), 0x46dd794e);
  assert.equal(crc32c(counted.toReversed()), 0x113fdb5c);
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

test('an event is, to the byte, what TensorBoard itself would write', async (context) => {
  const folder = await runFolder(context);
  const log = await openTensorboardLog(folder, records());
  const { length } = await readFile(await eventFile(folder));
  await log.append(validation);
  await log.close();
  const written = (await readFile(await eventFile(folder))).subarray(length);
  // By tensorboard 2.21's Event, Summary and masked_crc32c.
  const expected =
    '2d000000000000003c418afb095a646b69cd55da4110032a200a1e0a1776616c69646174696f6e2f6d696e692f656d612f52' +
    '4031150000c2412386ba48';
  assert.equal(written.toString('hex'), expected);
});

test('every scalar comes back, of earlier steps and of new ones', async (context) => {
  const folder = await runFolder(context);
  const log = await openTensorboardLog(folder, records(stepAt(1, 0.5), stepAt(2, Number.NaN)));
  await log.append(stepAt(3, Number.POSITIVE_INFINITY));
  await log.append({ ...validation, phi: 'phi' });
  await log.append(validation);
  await log.close();
  const step = (number: number, loss: string) => [
    `${number} train/loss ${loss}`,
    `${number} train/learning_rate 0.25`,
    `${number} train/gradient_norm 0.5`,
    `${number} train/captions_per_second 40`,
  ];
  assert.deepEqual(await readScalars(folder), [
    ...[...step(1, '0.5'), ...step(2, 'NaN'), ...step(3, 'Infinity')],
    '3 validation/mini/R@1 24.25',
    '3 validation/mini/ema/R@1 24.25',
  ]);
});

test('a file from before is replaced by what the metrics say', async (context) => {
  const folder = await runFolder(context);
  const foreign = join(folder, 'events.out.tfevents.1700000000.elsewhere');
  await writeFile(foreign, 'not ours');
  await writeFile(join(folder, 'events.out.tfevents.1700000000.lincir'), 'torn');
  const many = Array.from({ length: 1000 }, (_, index) => stepAt(index + 1, 0.5));
  await (await openTensorboardLog(folder, records(...many, validation))).close();
  await rm(foreign);
  const scalars = await readScalars(folder);
  assert.equal(scalars.length, 4001);
  assert.deepEqual(scalars.slice(-2), [
    '1000 train/captions_per_second 40',
    '3 validation/mini/ema/R@1 24.25',
  ]);
});
