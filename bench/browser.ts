/**
 * The engine in Chromium beside Node's: the miniature world's towers and a training step, in WebAssembly with one thread and
 * with more, and on WebGPU if a GPU does it; how far the results differ; and how fast a large model's hash is computed:
 * `node bench/browser.ts [--photos FOLDER] [--rounds 5]`.
 */

import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPreparation } from '../src/captions/portable.ts';
import { loadClip } from '../src/clip/index.ts';
import { folderFiles } from '../src/files/index.ts';
import { miniCaptions } from '../src/mini/portable.ts';
import { type Engine, openChromium, openEngine, serveSite } from '../test/browser/chromium.ts';
import { leastCosine, mini } from '../test/browser/mini.ts';
import { openWork, type Task } from './browser/work.ts';
import { machine, rounded, saveResult } from './results.ts';
import { type Side, speedup, takeTurns, timed } from './turns.ts';

const { values: options } = parseArgs({
  options: {
    photos: { type: 'string' },
    rounds: { type: 'string', default: '5' },
  },
});
const tasks: readonly Task[] = ['text', 'images', 'step'];
const batch = 128;
const root = join(import.meta.dirname, '..');
const folder = join(root, 'models/mini');
const threads = availableParallelism();

const clip = await loadClip(folder);
const prepare = await createPreparation(clip.tokenizer, 'spans');
const captions = (await Array.fromAsync(miniCaptions(batch, 0))).map((caption) =>
  prepare(caption, () => 0.5),
);

const site = await serveSite(options.photos);
const browser = await openChromium();
const places: Record<string, Engine> = {
  'wasm, one thread': await openEngine(browser, site.url),
  'wasm, threads': await openEngine(browser, `${site.url}isolated/`),
};
const { adapter } = await Object.values(places)[0]!.ask('facts');
// A processor that plays a GPU takes minutes for a pass, and its speed says nothing about GPUs. Tests compare what it computes.
if (adapter && !adapter.isSoftware) places.webgpu = await openEngine(browser, site.url);
for (const [place, { ask }] of Object.entries(places)) {
  const device = place === 'webgpu' ? 'webgpu' : 'cpu';
  await ask('openWork', mini, captions, {
    device,
    ...(place === 'wasm, threads' && { threads }),
  });
}
const node = {
  'Node, one thread': await openWork(folderFiles(folder), captions, { threads: 1 }),
  'Node, threads': await openWork(folderFiles(folder), captions, { threads }),
};

const result: Record<string, object> = {};
for (const task of tasks) {
  const sides: Record<string, Side> = {};
  for (const [place, work] of Object.entries(node)) sides[place] = () => timed(() => work.run(task));
  for (const [place, { ask }] of Object.entries(places)) sides[place] = () => ask('timeWork', task);
  const timings = await takeTurns(sides, Number(options.rounds));
  const expected = await node['Node, threads'].run(task);
  const rows: Record<string, object> = {};
  for (const [place, timing] of Object.entries(timings)) {
    rows[place] = { seconds: timing.seconds.map(rounded), median: rounded(timing.median) };
  }
  for (const [place, { ask }] of Object.entries(places)) {
    const peer = timings[place.endsWith('one thread') ? 'Node, one thread' : 'Node, threads']!;
    const found = await ask('workResult', task);
    const asFastAsNode = rounded(speedup(timings[place]!, peer));
    rows[place] = { ...rows[place], asFastAsNode, largestDifference: difference(found, expected) };
  }
  result[task] = rows;
  console.log(task, rows);
}

const hashed = 64 * 2 ** 20;
const hashing = await takeTurns(
  {
    'in a page': () => places['wasm, one thread']!.ask('timeHash', hashed),
    Node: () => timed(async () => createHash('sha256').update(new Uint8Array(hashed)).digest()),
  },
  Number(options.rounds),
);
const hash = Object.fromEntries(
  Object.entries(hashing).map(([place, { median }]) => [
    place,
    { megabytesASecond: rounded(hashed / 1e6 / median) },
  ]),
);
console.log('hash', hash);

const photos = options.photos ? await photosDiffer(options.photos) : undefined;
await saveResult('browser', {
  ...{
    machine: machine(),
    load: loadavg().map(rounded),
    chromium: browser.version(),
    adapter: adapter?.name,
  },
  ...{ model: 'models/mini', batch, threads, rounds: Number(options.rounds), ...result, hash, photos },
});
console.log('photos', photos);
for (const work of Object.values(node)) await work.dispose();
await clip.dispose();
await browser.close();
site.close();

/** Photos that Chromium decodes and encodes, against those that Node does: the least cosine. */
async function photosDiffer(place: string) {
  const names = (await readdir(place)).filter((name) => /\.jpe?g$/i.test(name)).slice(0, 10);
  const paths = names.map((name) => `/photos/${name}`);
  const found = await places['wasm, one thread']!.ask('images', mini, paths);
  const expected = await clip.encodeImages(names.map((name) => join(place, name)));
  return { count: names.length, leastCosine: leastCosine(found, expected) };
}

/** Relative to the largest entry. */
function difference(found: readonly number[], expected: Float32Array): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const most = expected.reduce((sofar, value, at) => Math.max(sofar, Math.abs(found[at]! - value)), 0);
  return rounded(most / largest);
}
