/** Metrics on their way through the file, and what an end of the process may leave there. */

import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LincirError } from '../core/index.ts';
import { type Metrics, openMetricsLog, readMetrics } from './metrics.ts';

async function metricsFile(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-metrics-'));
  context.after(() => rm(folder, { recursive: true }));
  return join(folder, 'metrics.jsonl');
}

const time = '2026-01-02T03:04:05.678Z';

function stepAt(step: number, loss = 1 / (step + 1)): Metrics {
  return {
    ...{ kind: 'step', step, loss, learningRate: 1e-4, gradientNorm: 0.25, captionsPerSecond: 40 },
    ...{ gflopsPerSecond: 140.5, seconds: step * 12.8, memoryBytes: 2 ** 31, time },
  };
}

function validationAt(step: number): Metrics {
  const metrics = { 'R@1': 24.3, größe: 1 };
  return { kind: 'validation', step, name: 'mini', phi: 'ema', metrics, best: true, time };
}

async function write(file: string, upToStep: number, records: readonly Metrics[]): Promise<void> {
  const log = await openMetricsLog(file, upToStep);
  for (const record of records) await log.append(record);
  await log.flush();
  await log.close();
}

function failure(code: string, ...mentions: readonly string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof LincirError && error.code === code, String(error));
    for (const mention of mentions) assert.ok(error.message.includes(mention), error.message);
    return true;
  };
}

test('what was measured comes back, numbers that JSON lacks included', async (context) => {
  const file = await metricsFile(context);
  const records = [
    stepAt(1, 0.1 + 0.2),
    stepAt(2, Number.NaN),
    stepAt(3, Number.POSITIVE_INFINITY),
    { ...stepAt(4, Number.NEGATIVE_INFINITY), seconds: Number.NaN },
    validationAt(4),
    ...Array.from({ length: 1000 }, (_, index) => stepAt(5 + index)),
  ];
  await write(file, 0, records);
  assert.deepEqual(await Array.fromAsync(readMetrics(file)), records);
  for (const line of (await readFile(file, 'utf8')).trimEnd().split('\n')) JSON.parse(line);
});

test('going on keeps the lines of steps up to one, as they are', async (context) => {
  const file = await metricsFile(context);
  const records = [stepAt(1), stepAt(2), validationAt(2), stepAt(3), validationAt(3)];
  await write(file, 0, records);
  const before = (await readFile(file, 'utf8')).split('\n');
  const spaced = before[1]!.replace('{', '{ "later":"release", ');
  await writeFile(file, [before[0], spaced, ...before.slice(2)].join('\n'));

  await write(file, 2, [stepAt(3, 9)]);
  const after = (await readFile(file, 'utf8')).split('\n');
  assert.deepEqual(after.slice(0, 3), [before[0], spaced, before[2]]);
  const expected = [...records.slice(0, 3), stepAt(3, 9)];
  assert.deepEqual(await Array.fromAsync(readMetrics(file)), expected);
  await write(file, 0, []);
  assert.equal(await readFile(file, 'utf8'), '');
  assert.deepEqual(await readdir(join(file, '..')), ['metrics.jsonl']);
});

test('a torn last line is no line, wherever it was torn', async (context) => {
  const file = await metricsFile(context);
  await write(file, 0, [stepAt(1), stepAt(2)]);
  const bytes = Buffer.from(`${JSON.stringify(validationAt(3))}\n`);
  for (const length of [1, bytes.indexOf('ö') + 1, bytes.length - 1]) {
    await write(file, 2, []);
    await appendFile(file, bytes.subarray(0, length));
    assert.deepEqual(await Array.fromAsync(readMetrics(file)), [stepAt(1), stepAt(2)]);
    await write(file, 3, [stepAt(3)]);
    assert.deepEqual(await Array.fromAsync(readMetrics(file)), [stepAt(1), stepAt(2), stepAt(3)]);
  }
});

test('what is no metrics file is named and left as it is', async (context) => {
  const file = await metricsFile(context);
  await assert.rejects(Array.fromAsync(readMetrics(file)), failure('not-found', file));
  const good = JSON.stringify(stepAt(1));
  const broken: readonly (readonly [string, string])[] = [
    ['{"kind":"st\n', 'JSON'],
    [`${JSON.stringify({ ...stepAt(2), loss: 'much' })}\n`, 'loss'],
    [`${JSON.stringify({ ...stepAt(2), step: 1.5 })}\n`, 'step'],
    ['{"kind":"other"}\n', 'kind'],
    ['null\n', 'object'],
    ['x'.repeat(2 ** 21), '1048576 bytes'],
  ];
  for (const [line, mention] of broken) {
    const text = `${good}\n${line}${good}\n`;
    await writeFile(file, text);
    await assert.rejects(Array.fromAsync(readMetrics(file)), failure('bad-file', `${file}: line 2`, mention));
    await assert.rejects(openMetricsLog(file, 1), failure('bad-file', `${file}: line 2`));
    assert.equal(await readFile(file, 'utf8'), text);
  }
  await assert.rejects(openMetricsLog(join(file, 'in', 'a', 'file'), 1), failure('io', file));
});
