/**
 * Many minutes of mixed requests to `lincir serve`, and whether its memory grows:
 * `node bench/serving-soak.ts PICTURES… --model mini [--phi PHI] [--minutes 30] [--rate 30]`.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { machine, saveResult } from './results.ts';
import type { Observation } from './serving/observe.ts';
import { ServerProcess } from './serving/processes.ts';
import { median } from './turns.ts';

const { values: options, positionals: folders } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'mini' },
    phi: { type: 'string' },
    minutes: { type: 'string', default: '30' },
    /** Requests a second. */
    rate: { type: 'string', default: '30' },
    port: { type: 'string', default: '8921' },
    /** The name of one kind of request, to find which of them takes memory. */
    only: { type: 'string' },
  },
});
if (folders.length === 0) {
  throw new Error(
    'usage: node bench/serving-soak.ts PICTURES… [--model mini] [--phi PHI] [--minutes 30] [--rate 30]',
  );
}
const [minutes, rate] = [Number(options.minutes), Number(options.rate)];
const observeSeconds = 5;
const patience = 30_000;

const scratch = await mkdtemp(join(tmpdir(), 'lincir-soak-'));
const index = join(scratch, 'soak.lance');
const main = join(import.meta.dirname, '../src/cli/main.ts');
const indexing = ['index', ...folders, '--index', index, '--model', options.model];
await promisify(execFile)(process.execPath, [main, ...indexing], { maxBuffer: 2 ** 26 });
const phi = options.phi === undefined ? [] : ['--phi', options.phi];
const server = await ServerProcess.lincir(['--index', index, ...phi], Number(options.port));
const api = `${server.origin}/api/v1`;
const name = 'soak';

interface Answer {
  readonly images: readonly { readonly id: string }[];
}
const everything = (await (await post('search', { text: 'a drawing', limit: 1000 })).json()) as Answer;
const ids = everything.images.map(({ id }) => id);
const files = await pictureFiles();
const uploads: string[] = [];
const words = [
  'at night',
  'but red',
  'in the snow',
  'with two dogs',
  'on a beach',
  'is larger',
  'without people',
];

/** What clients do, and how often: so many times of all. */
const deeds: readonly (readonly [
  name: string,
  share: number,
  deed: (signal: AbortSignal) => Promise<Response>,
])[] = [
  [
    'search by id',
    30,
    (signal) => post('search', { images: [{ id: any(ids) }], text: phrase(), limit: 50 }, signal),
  ],
  ['search by upload', 4, (signal) => post('search', { images: [anyUpload()], limit: 50 }, signal)],
  ['search by text', 15, (signal) => post('search', { text: `a drawing ${phrase()}`, limit: 50 }, signal)],
  ['1,000 results', 5, (signal) => post('search', { images: [{ id: any(ids) }], limit: 1000 }, signal)],
  ['embed', 8, (signal) => post('embed', { texts: [phrase(), phrase(), phrase()] }, signal)],
  ['upload', 6, upload],
  [
    'thumbnail',
    24,
    (signal) => get(`indexes/${name}/images/${any(ids)}/thumbnail?size=${any([160, 320])}`, signal),
  ],
  ['original', 3, (signal) => get(`indexes/${name}/images/${any(ids)}/original`, signal)],
  [
    'gone before the answer',
    5,
    (signal) => post('search', { images: [{ id: any(ids) }], text: phrase() }, brief(signal)),
  ],
];
const chosen = deeds.filter(([deedName]) => options.only === undefined || deedName === options.only);
const shares = chosen.reduce((sum, [, share]) => sum + share, 0);

const outcomes = new Map<string, Record<string, number>>();
const samples: (Observation & { readonly second: number; readonly load: number })[] = [];
const start = performance.now();
const end = start + minutes * 60_000;
const observing = (async () => {
  while (performance.now() < end && server.runs) {
    await sleep(1000 * observeSeconds);
    const observation = await server.observe();
    const second = Math.round((performance.now() - start) / 1000);
    samples.push({ second, load: loadavg()[0]!, ...observation });
    if (samples.length % 12 === 0)
      console.error(`${second} s: ${mebibytes(observation.resident)} MiB, load ${loadavg()[0]}`);
  }
})();
const running = new Set<Promise<void>>();
while (performance.now() < end && server.runs) {
  await sleep((-Math.log(1 - Math.random()) * 1000) / rate);
  if (running.size >= 64) continue; // a machine that is too slow for this rate
  const [deedName, deed] = anyDeed();
  const one = doOne(deedName, deed).finally(() => running.delete(one));
  running.add(one);
}
await Promise.all(running);
await observing;
const survived = server.runs;
await server.stop();
await rm(scratch, { recursive: true });

const third = Math.ceil(samples.length / 3);
const thirds = [0, 1, 2].map((part) => samples.slice(part * third, (part + 1) * third));
const result = {
  survived,
  requests: [...outcomes.values()].flatMap((of) => Object.values(of)).reduce((sum, count) => sum + count, 0),
  outcomes: Object.fromEntries(outcomes),
  residentMiB: thirds.map((some) => ({
    median: mebibytes(median(some.map(({ resident }) => resident))),
    greatest: mebibytes(Math.max(...some.map(({ resident }) => resident))),
  })),
  heapMiB: thirds.map((some) => mebibytes(median(some.map(({ heap }) => heap)))),
  mainLoopDelayP999: thirds.map((some) => median(some.map(({ loopDelay }) => loopDelay.p999))),
  processorSeconds: samples.at(-1)?.processorSeconds,
};
console.log(JSON.stringify(result, null, 1));
if (options.only === undefined)
  await saveResult('serving-soak', {
    ...{ machine: machine(), minutes, rate, model: options.model, images: ids.length, ...result },
    everyMinute: samples
      .filter((_, at) => at % (60 / observeSeconds) === 0)
      .map(({ second, load, resident, heap }) => ({
        second,
        load,
        resident: mebibytes(resident),
        heap: mebibytes(heap),
      })),
  });

async function doOne(deedName: string, deed: (signal: AbortSignal) => Promise<Response>): Promise<void> {
  const outcome = await deed(AbortSignal.timeout(patience)).then(
    async (response) => {
      await response.arrayBuffer();
      return `${response.status}`;
    },
    (error: Error) => error.name,
  );
  const counts = outcomes.get(deedName) ?? {};
  counts[outcome] = (counts[outcome] ?? 0) + 1;
  outcomes.set(deedName, counts);
}

function post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${api}/${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
}

function get(path: string, signal: AbortSignal): Promise<Response> {
  return fetch(`${api}/${path}`, { signal });
}

/** Every upload has bytes of its own, so that nothing is known of it. */
async function upload(signal: AbortSignal): Promise<Response> {
  const bytes = Buffer.concat([await readFile(any(files)), Buffer.from(`${Math.random()}`)]);
  const headers = { 'content-type': 'application/octet-stream' };
  const response = await fetch(`${api}/uploads?index=${name}`, {
    method: 'POST',
    headers,
    body: bytes,
    signal,
  });
  if (response.ok) {
    uploads.push(((await response.clone().json()) as { upload: string }).upload);
    if (uploads.length > 20) uploads.shift();
  }
  return response;
}

function anyUpload() {
  return uploads.length > 0 ? { upload: any(uploads) } : { id: any(ids) };
}

/** A client who has gone after a moment. */
function brief(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(1 + Math.floor(Math.random() * 30))]);
}

function any<Value>(values: readonly Value[]): Value {
  return values[Math.floor(Math.random() * values.length)]!;
}

function phrase(): string {
  return `${any(words)} ${any(words)}`;
}

function anyDeed() {
  let left = Math.random() * shares;
  for (const [deedName, share, deed] of chosen) {
    left -= share;
    if (left < 0) return [deedName, deed] as const;
  }
  return [chosen[0]![0], chosen[0]![2]] as const;
}

async function pictureFiles(): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const pictures = entries.filter((entry) => entry.isFile() && /\.(?:png|jpe?g|svg)$/i.test(entry.name));
    found.push(...pictures.map((entry) => resolve(entry.parentPath, entry.name)));
  }
  return found.slice(0, 500);
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
