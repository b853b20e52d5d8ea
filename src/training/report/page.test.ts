/** The report's page: whole, self-contained, and safe whatever the data says. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Metrics } from '../metrics.ts';
import { type Report, writeReport } from './page.ts';

const time = '2026-01-02T03:04:05.678Z';

function stepAt(step: number, loss = 1 / step): Metrics {
  return {
    ...{ kind: 'step', step, loss, learningRate: 1e-4, gradientNorm: 2, captionsPerSecond: 40 },
    ...{ gflopsPerSecond: 140, seconds: step, memoryBytes: 2 ** 31, time },
  };
}

function validationAt(step: number, phi: 'phi' | 'ema', best = false, name = 'mini'): Metrics {
  const metrics = { 'R@1': step / 100 + (phi === 'ema' ? 1 : 0), 'R@5': 50 };
  return { kind: 'validation', step, name, phi, metrics, best, time };
}

async function* stream(records: Iterable<Metrics>): AsyncGenerator<Metrics, void, void> {
  yield* records;
}

async function reportFile(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-report-'));
  context.after(() => rm(folder, { recursive: true }));
  return join(folder, 'report.html');
}

async function pageOf(file: string, records: Iterable<Metrics>, more: Partial<Report> = {}): Promise<string> {
  const state = { status: 'running', step: 3, steps: 20_000, seconds: 11_111, captions: 1536 } as const;
  await writeReport(file, { title: 'a run', settings: [], metrics: stream(records), state, ...more });
  const page = await readFile(file, 'utf8');
  expectWhole(page);
  return page;
}

/** Every element is closed in its turn, every number can be drawn, and nothing comes from elsewhere. */
function expectWhole(page: string): void {
  const body = page.slice(page.indexOf('</style>'));
  const open = ['html', 'style'];
  for (const [, closes, name, , single] of body.matchAll(
    /<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*?)(\/?)>/g,
  )) {
    if (closes) assert.equal(open.pop(), name);
    else if (!single) open.push(name!);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(page, /undefined|\[object|<script|<link|<img|(?:src|href)=|https?:|@import|url\(/);
  for (const [attribute] of body.matchAll(/ (?:d|x|y|cx|cy)="[^"]*"/g)) {
    assert.match(attribute, /^ \w+="[\d .MLhZ-]+"$/);
  }
}

test('a run without a step, with one, and with three', async (context) => {
  const file = await reportFile(context);
  const empty = await pageOf(file, []);
  assert.match(empty, /No step has been made yet/);
  assert.match(empty, /running.*step 3 of 20,000/);
  assert.match(empty, /Time<\/dt><dd><bdi>3 h 5 min/);
  assert.doesNotMatch(empty, /<svg/);

  const one = await pageOf(file, [stepAt(1, 0.5)]);
  assert.match(one, /Loss<\/dt><dd><bdi>0\.5</);
  assert.match(one, /<title>step 1: 0\.5</);
  assert.equal(
    (
      await pageOf(
        file,
        [1, 2, 3].map((step) => stepAt(step)),
      )
    ).match(/<svg class/g)?.length,
    4,
  );
  assert.deepEqual(await readdir(join(file, '..')), ['report.html']);
});

test('a long run makes no larger page', async (context) => {
  const file = await reportFile(context);
  const records = function* () {
    for (let step = 1; step <= 50_000; step += 1) {
      yield stepAt(step);
      if (step % 100 === 0) yield validationAt(step, 'phi', step === 100);
    }
  };
  const page = await pageOf(file, records());
  assert.ok(page.length < 150_000, String(page.length));
  assert.match(page, /The last 100 of 500\./);
  // The best one is older than these.
  assert.match(page, /<tr class="best"><td>100<\/td>/);
});

test('validations have a chart for each metric, lines for phi and EMA, and the best one marked', async (context) => {
  const file = await reportFile(context);
  const records = [100, 200, 300].flatMap((step) => [
    ...[stepAt(step), validationAt(step, 'phi', step === 100)],
    ...[validationAt(step, 'ema', step === 200), validationAt(step, 'phi', false, 'other')],
  ]);
  const page = await pageOf(file, records);
  const [, mini = '', other = ''] = page.split('<h2>Validation: ');
  assert.equal(mini.match(/class="phi line"/g)?.length, 2);
  assert.equal(mini.match(/class="ema line"/g)?.length, 2);
  assert.match(mini, /Best at step 200 \(EMA\)/);
  assert.equal(mini.match(/class="ema best"/g)?.length, 2);
  assert.doesNotMatch(mini, /class="phi best"/);
  assert.match(mini, /<tr class="best"><td>200<\/td><td>EMA<\/td><td>3\.000<\/td><td>50\.00<\/td>/);
  assert.equal(mini.match(/<tr/g)?.length, 7);
  assert.doesNotMatch(other, /ema|best/);
});

test('values that are not finite are told of, not drawn', async (context) => {
  const file = await reportFile(context);
  const none = await pageOf(file, [stepAt(1, Number.NaN)]);
  assert.match(none, /nothing that can be shown/);
  assert.match(none, /not finite: 1\./);
  const metrics = { 'R@1': Number.NaN, 'R@5': 2 };
  const best = { ...validationAt(2, 'phi', true), metrics } as Metrics;
  const some = await pageOf(file, [stepAt(1), stepAt(2, Number.POSITIVE_INFINITY), best]);
  assert.match(some, /<td>NaN<\/td>/);
  assert.equal(some.match(/class="phi best"/g)?.length, 1);
});

test('what data says stays text', async (context) => {
  const file = await reportFile(context);
  const hostile = `</title></style><script>alert("1")</script>'<img onerror=y>&amp;`;
  const metrics = { [hostile]: 1 };
  const records = [stepAt(1), { ...validationAt(1, 'phi', true, hostile), metrics } as Metrics];
  const page = await pageOf(file, records, { title: hostile, settings: [[hostile, hostile]] });
  const escaped = page.match(/&#60;script&#62;alert\(&#34;1&#34;\)/g);
  assert.equal(escaped?.length, 8);
});

test('a report that cannot be made leaves the one before', async (context) => {
  const file = await reportFile(context);
  const before = await pageOf(file, [stepAt(1)]);
  const broken = async function* (): AsyncGenerator<Metrics, void, void> {
    yield stepAt(1);
    throw new Error('the metrics end here');
  };
  await assert.rejects(pageOf(file, [], { metrics: broken() }), /the metrics end here/);
  assert.equal(await readFile(file, 'utf8'), before);
});
