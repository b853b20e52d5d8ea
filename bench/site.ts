/**
 * The site's miniature world in Chromium: the time to its first answer, cold, at 20 Mbit/s; the longest tasks of the page's own
 * thread in all that a visitor does; learning there beside the command line's.
 * `node bench/site.ts [--runs 5] [--only first|tasks|learning] [--until 300] [--plain] [--built]`
 */

import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';
import { build } from 'vite';
import { evaluate, methodToEvaluate, openBenchmark } from '../src/benchmarks/index.ts';
import { loadClip } from '../src/clip/index.ts';
import { buildBenchmark, miniRecipe, writeMiniBenchmark } from '../src/mini/index.ts';
import { loadPhi, Phi, phiShape } from '../src/phi/index.ts';
import { trainPhi } from '../src/training/index.ts';
import { flatParameters } from '../src/training/portable.ts';
import { machine, rounded, saveResult } from './results.ts';
import { longestTask, longestTasks, watchedPage } from './site-visits.ts';
import { median } from './turns.ts';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    only: { type: 'string' },
    /** Leave learning after this step: for its tasks alone. Then there is no phi to score. */
    until: { type: 'string' },
    /** Send scripts as they are, as hosts do that compress nothing. */
    plain: { type: 'boolean', default: false },
    /** Take the site as it was built. */
    built: { type: 'boolean', default: false },
  },
});
const megabits = 20;
const root = join(import.meta.dirname, '..');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** A program for the page: phi's parameters as the browser keeps them. It is text, since only browsers know these names. */
const storedValues = `(async () => {
  const done = (request) => new Promise((resolve) => request.addEventListener('success', () => resolve(request.result)));
  const database = await done(indexedDB.open('lincir-world'));
  const [run] = await done(database.transaction('runs').objectStore('runs').getAll());
  return [...run.values];
})()`;

if (!options.built) await build({ configFile: join(root, 'web/site/vite.config.ts') });
const link = { bytesPerMillisecond: Number.POSITIVE_INFINITY, free: 0 };
const sent = new Map<string, number>();
const packedFiles = new Map<string, Uint8Array>();
const origin = await serve(join(root, 'site'));
const browser = await chromium.launch({
  executablePath: process.env.LINCIR_TEST_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
});
/** A part that is measured alone replaces only itself. */
const earlier = options.only ? await readFile(join(import.meta.dirname, 'results/site.json'), 'utf8') : '{}';
const result: Record<string, unknown> = {
  ...JSON.parse(earlier),
  machine: machine(),
  load: loadavg(),
  megabits,
  compressed: !options.plain,
};
const wants = (part: string) => options.only === undefined || options.only === part;
if (wants('first')) result.firstAnswer = await firstAnswers(browser);
if (wants('tasks')) {
  result.longestTasks = {
    '1280 pixels': await longestTasks(browser, origin, 1280),
    '390 pixels': await longestTasks(browser, origin, 390),
  };
}
if (wants('learning')) result.learning = await learning(browser);
await browser.close();
console.log(JSON.stringify(result, null, 2));
await saveResult('site', result);
process.exit(); // the server still listens

/** From the address to the first ranking on the page, and to its drawings, each time in a browser that remembers nothing. */
async function firstAnswers(browser: Browser) {
  link.bytesPerMillisecond = (megabits * 1e6) / 8 / 1000;
  const runs: { readonly milliseconds: number; readonly drawn: number; readonly longestTask: number }[] = [];
  for (let run = 0; run < Number(options.runs); run += 1) {
    sent.clear();
    const page = await watchedPage(browser);
    await page.goto(origin, { waitUntil: 'commit' });
    const milliseconds = await page.evaluate<number>('globalThis.firstAnswer');
    // Soon the service worker takes the rest.
    if (run === 0) result.files = { ...Object.fromEntries(sent), total: sum([...sent.values()]) };
    const drawn = await page.evaluate<number>('globalThis.firstDrawings');
    runs.push({ milliseconds, drawn, longestTask: await longestTask(page) });
    await page.context().close();
    await wait(500);
  }
  link.bytesPerMillisecond = Number.POSITIVE_INFINITY;
  const milliseconds = runs.map((run) => rounded(run.milliseconds));
  return {
    ...{ milliseconds, median: median(milliseconds) },
    medianWithDrawings: rounded(median(runs.map((run) => run.drawn))),
    longestTask: Math.max(...runs.map((run) => run.longestTask)),
  };
}

/** A whole training in the page beside the command line's with the same seed; questions are asked meanwhile. */
async function learning(browser: Browser) {
  const page = await watchedPage(browser);
  await page.goto(origin);
  await page.evaluate('globalThis.firstAnswer');
  await wait(3000);
  await longestTask(page); // that of the start, which is noted elsewhere
  await page.getByRole('button', { name: 'Learn', exact: true }).click();
  const begin = performance.now();
  const speeds: number[] = [];
  let beforeSteps = Number.NaN;
  for (;;) {
    await wait(2000);
    // Another question, for its answers are to come while phi learns.
    await page.getByRole('button', { name: 'Another', exact: true }).click();
    const state = await page.locator('.learning').innerText();
    const speed = Number(/Captions a second\s+([\d,]+)/i.exec(state)?.[1]?.replaceAll(',', ''));
    if (speed) speeds.push(speed);
    const step = Number(/Step\s+(\d+)/i.exec(state)?.[1]);
    if (/Done\. /.test(state) || step >= Number(options.until ?? miniRecipe.steps + 1)) break;
    if (Number.isNaN(beforeSteps) && step > 0) beforeSteps = await longestTask(page);
  }
  const seconds = (performance.now() - begin) / 1000;
  const tasks = { beforeSteps, steps: await longestTask(page) };
  if (options.until) {
    await page.context().close();
    return { until: options.until, longestTasks: tasks, captionsPerSecond: rounded(median(speeds)) };
  }
  // Now it is measured on all questions.
  await page.locator('.bars .mine', { hasText: /\d/ }).waitFor();
  await wait(2000);
  const longest = { ...tasks, end: await longestTask(page) };
  const values = await page.evaluate<number[]>(storedValues);
  await page.context().close();
  const own = await commandLine();
  const scores = { page: rounded(await own.scoreOf(values)), commandLine: rounded(await own.scoreOf()) };
  await own.close();
  return {
    ...{ steps: miniRecipe.steps, seconds: rounded(seconds), captionsPerSecond: rounded(median(speeds)) },
    ...{ longestTasks: longest, commandLineSeconds: rounded(own.seconds), 'mAP@10': scores },
  };
}

/** The same training by `trainPhi`, and what scores both by the protocol of `lincir eval mini`. */
async function commandLine() {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-site-'));
  const clip = await loadClip('mini');
  await writeMiniBenchmark(join(folder, 'world'), buildBenchmark(1, { gallery: 4000, queries: 600 }));
  const benchmark = await openBenchmark('mini', join(folder, 'world'));
  const begin = performance.now();
  const settings = { model: 'mini', captions: ['mini:captions'], ...miniRecipe };
  for await (const _ of trainPhi({ ...settings, out: join(folder, 'phi') }));
  const seconds = (performance.now() - begin) / 1000;
  const scoreOf = async (values?: readonly number[]) => {
    const shape = phiShape('lincir', clip.textConfig);
    const given = values && flatParameters(shape, undefined, () => Float32Array.from(values)).tensors;
    const phi = given
      ? await Phi.create({ shape, l2Normalize: false }, given)
      : await loadPhi(join(folder, 'phi'), { clip });
    const { results } = await evaluate(benchmark, { clip, methods: [methodToEvaluate('lincir', { phi })] });
    await phi.dispose();
    return 100 * results.methods[0]!.figures['mAP@10']!.value;
  };
  const close = async () => {
    await clip.dispose();
    await rm(folder, { recursive: true });
  };
  return { seconds, scoreOf, close };
}

/** Serves a folder with the headers that allow threads. All that is sent shares one link. Returns the address. */
async function serve(folder: string): Promise<string> {
  const server = createServer(async ({ url }, response) => {
    const path = new URL(url!, 'http://localhost').pathname.slice(1) || 'index.html';
    const bytes = await readFile(join(folder, path)).catch(() => undefined);
    if (!bytes) {
      response.writeHead(404).end();
      return;
    }
    const type = types[extname(path)] ?? 'application/octet-stream';
    const packed = !options.plain && /text|svg|wasm/.test(type) ? zipped(path, bytes) : undefined;
    response.writeHead(200, {
      ...{ 'content-type': type, 'content-length': (packed ?? bytes).length },
      ...(packed && { 'content-encoding': 'gzip' }),
      ...{ 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
    });
    sent.set(path, (packed ?? bytes).length);
    await send(packed ?? bytes, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Packed once, as hosts do. */
function zipped(path: string, bytes: Uint8Array): Uint8Array {
  const known = packedFiles.get(path) ?? gzipSync(bytes);
  packedFiles.set(path, known);
  return known;
}

/** Piece by piece, each when the link is free: Chromium's own throttling does not reach what workers fetch. */
async function send(bytes: Uint8Array, response: ServerResponse): Promise<void> {
  const piece = 16_384;
  for (let at = 0; at < bytes.length; at += piece) {
    const part = bytes.subarray(at, at + piece);
    const now = performance.now();
    link.free = Math.max(now, link.free) + part.length / link.bytesPerMillisecond;
    if (link.free - now > 1) await wait(link.free - now);
    if (response.destroyed) return;
    response.write(part);
  }
  response.end();
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
