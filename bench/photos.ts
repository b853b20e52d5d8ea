/**
 * The page of own photos in Chromium: searches among 10,000 rows of made-up embeddings, the memory they take, and the longest
 * task of the page's own thread while it indexes real pictures and searches: `node bench/photos.ts PICTURES`.
 */

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { normals } from '../src/core/index.ts';
import { hostSite } from '../test/photos/host.ts';
import { memoryFolder } from '../web/site/photos/index/bytes-file.ts';
import { PhotoIndex } from '../web/site/photos/index/photo-index.ts';
import { machine, rounded, saveResult } from './results.ts';

const [pictures] = process.argv.slice(2);
if (pictures === undefined) throw new Error('give a folder of pictures');
const rows = 10_000;
const searches = 200;
/** Bytes of a small thumbnail, which lie on the disk. */
const thumbnailBytes = 4000;

const scratch = await mkdtemp(join(tmpdir(), 'lincir-photos-'));
const site = join(scratch, 'site');
await build({
  configFile: join(import.meta.dirname, '../web/site/vite.config.ts'),
  build: { outDir: site, emptyOutDir: true },
});
await writeFile(join(site, 'blank.html'), '<!doctype html><title>blank</title>');
await using host = await hostSite(site);
const assets = await readdir(join(site, 'assets'));
const worker = `${host.address}assets/${assets.find((name) => /^worker-/.test(name) && name.endsWith('.js'))}`;
const browser = await chromium.launch({
  executablePath: process.env.LINCIR_TEST_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--enable-blink-features=ForceEagerMeasureMemory'],
});

/** Text, since only browsers know these names. */
const inPage = `async ({ names, worker, dimensions, searches }) => {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle('lincir-photos', { create: true });
  for (const name of names) {
    const file = await folder.getFileHandle(name, { create: true });
    const bytes = await (await fetch(name + '.bin')).arrayBuffer();
    const writable = await file.createWritable();
    await writable.write(bytes);
    await writable.close();
  }
  const memory = async () => (await performance.measureUserAgentSpecificMemory()).bytes;
  const engine = new Worker(worker, { type: 'module' });
  let calls = 0;
  const call = (name, given) => new Promise((resolve, reject) => {
    const own = calls++;
    engine.addEventListener('message', function hear({ data }) {
      if (data.call !== own) return;
      engine.removeEventListener('message', hear);
      'problem' in data ? reject(new Error(data.problem.detail)) : resolve(data.value);
    });
    engine.postMessage({ call: own, name, given });
  });
  await call('state');
  const before = await memory();
  const start = performance.now();
  await call('open');
  const opening = performance.now() - start;
  const timings = [];
  for (let round = 0; round < searches; round++) {
    const vector = Array.from({ length: dimensions }, () => Math.random() - 0.5);
    const begin = performance.now();
    const { images } = await call('search', { vector, limit: 60, fields: ['path', 'folder', 'metadata'] });
    timings.push(performance.now() - begin);
    if (images.length !== 60) throw new Error('too few');
  }
  const after = await memory();
  engine.terminate();
  return { before, after, timings, opening };
}`;

const made: Record<string, object> = {};
for (const dimensions of [512, 768]) made[dimensions] = await searchMadeUp(dimensions);
const real = await indexReal(resolve(pictures));
await browser.close();
await rm(scratch, { recursive: true });

const result = { rows, searches, made, real, load: rounded(loadavg()[0]!), machine: machine() };
await saveResult('photos', result);
console.log(JSON.stringify(result, null, 2));

/** The page's worker alone, with an index that was put into its files. */
async function searchMadeUp(dimensions: number): Promise<object> {
  const files = await madeUpIndex(dimensions);
  for (const [name, bytes] of files) await writeFile(join(site, `${name}.bin`), bytes);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${host.address}blank.html`);
  const given = { names: files.map(([name]) => name), worker, dimensions, searches };
  const script = `(${inPage})(${JSON.stringify(given)})`;
  const { before, after, timings, opening } = (await page.evaluate(script)) as {
    before: number;
    after: number;
    timings: number[];
    opening: number;
  };
  await context.close();
  const sorted = timings.toSorted((a, b) => a - b);
  return {
    openMilliseconds: rounded(opening),
    searchMilliseconds: {
      median: rounded(sorted[Math.floor(sorted.length / 2)]!),
      p99: rounded(sorted[Math.floor(sorted.length * 0.99)]!),
    },
    memoryMegabytes: rounded((after - before) / 1e6),
  };
}

async function madeUpIndex(dimensions: number): Promise<[string, Uint8Array][]> {
  const folder = memoryFolder();
  const index = await PhotoIndex.begin(folder, {
    version: 1,
    fingerprint: 'made up',
    model: 'none',
    dimensions,
  });
  const values = normals({ seed: 1, purpose: 'initialization', moment: 0, row: 0 }, rows * dimensions);
  for (let first = 0; first < rows; first += 500) {
    index.add(
      Array.from({ length: 500 }, (_, at) => ({
        ...{ kind: 'picture', id: (first + at).toString(16).padStart(24, '0'), size: 3e6, modified: 1.7e12 },
        path: `Photos/2024/week ${at % 52}/IMG_${first + at}.jpeg`,
        ...{ width: 4000, height: 3000, hash: (first + at).toString(16).padStart(64, '0') },
        embedding: values.slice((first + at) * dimensions, (first + at + 1) * dimensions),
        thumbnail: new Uint8Array(thumbnailBytes),
      })),
    );
  }
  const names = await folder.names();
  return await Promise.all(
    names.map(async (name): Promise<[string, Uint8Array]> => {
      const file = await folder.open(name);
      const bytes = new Uint8Array(file.size);
      file.read(bytes, 0);
      return [name, bytes];
    }),
  );
}

/** The page with real pictures: indexed, and searched meanwhile and afterwards. */
async function indexReal(folder: string): Promise<object> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.addInitScript(`delete window.showDirectoryPicker; window.tasks = [];
    new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) tasks.push(duration); })
      .observe({ type: 'longtask', buffered: true });`);
  await page.goto(`${host.address}photos.html`);
  const model = join(import.meta.dirname, '../test/fixtures/tiny-clip');
  await page.locator('input[aria-label="Use a model from your disk"]').setInputFiles(model);
  await page.getByText('It computes').waitFor();
  await page.evaluate('tasks.length = 0');
  const begin = performance.now();
  await page.locator('input[aria-label$="a folder"]').setInputFiles(folder);
  await search(page, 'a red bird');
  await page.locator('.brand').click();
  await page.locator('.done').waitFor();
  const seconds = (performance.now() - begin) / 1000;
  for (const words of ['a house', 'a dog on the grass', 'blue sky', 'two people']) await search(page, words);
  const tasks = (await page.evaluate('tasks')) as number[];
  return {
    pictures: (await readdir(folder)).length,
    seconds: rounded(seconds),
    longTasks: tasks.length,
    longestTaskMilliseconds: tasks.length === 0 ? 'below 50' : Math.max(...tasks),
  };
}

async function search(page: Page, words: string): Promise<void> {
  await page.locator('#words').fill(words);
  await page.locator('#words').press('Enter');
  await page.locator('.grid .tile').first().waitFor();
  await page.locator('.status p', { hasText: 'ms' }).waitFor();
}
