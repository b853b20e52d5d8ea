/**
 * What an index costs as it grows: lookups, listing, merging, and an update that finds nothing new, with a fit that says
 * what more would cost: `node bench/scale.ts [ROWS…] [--index ADDRESS] [--dimensions 16] [--held 50000]`.
 */

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { Clip } from '../src/clip/index.ts';
import { formatCount, normalizeRows, normals } from '../src/core/index.ts';
import { idOf } from '../src/indexing/new-ids.ts';
import { updateIndex } from '../src/indexing/update.ts';
import { backendOf, formatVersion, type StoredImage, type VectorStore } from '../src/store/index.ts';
import { logLogFit } from './fit.ts';
import { machine, rounded, saveResult } from './results.ts';
import { median, timed } from './turns.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** A new index, of any engine. Default: LanceDB in a temporary folder. */
    index: { type: 'string' },
    dimensions: { type: 'string', default: '16' },
    /** Images whose facts the update holds in memory. */
    held: { type: 'string', default: '50000' },
    /** For the process that updates: the folder of the files. */
    update: { type: 'string' },
  },
});
const sizes = (positionals.length > 0 ? positionals : ['10000', '30000', '100000', '300000', '1000000']).map(
  Number,
);
const dimensions = Number(options.dimensions);
const held = Number(options.held);
if (![...sizes, dimensions, held].every((count) => Number.isInteger(count) && count > 0)) {
  throw new Error('usage: node bench/scale.ts [ROWS…] [--index ADDRESS] [--dimensions 16] [--held 50000]');
}
const rowsPerAdd = 10_000;
/** Images that `lincir index` commits together. */
const rowsPerCommit = 256;
const rowsPerLookup = 1000;
const rounds = 5;
const filesPerFolder = 1000;
/** Every folder is one of two links to the same folder, so many deep: 16 million files that are one. */
const levels = 14;
const predicted = [1e8, 1e9];
/** Smaller indexes cost what a call costs, and say little about larger ones. */
const fewestForFit = 100_000;

const folder = options.update ?? (await mkdtemp(join(tmpdir(), 'lincir-scale-')));
const uri = options.index ?? join(folder, 'index.lance');
const { backend, location } = await backendOf(uri);
if (options.update !== undefined) {
  console.log(JSON.stringify(await update(sizes[0]!)));
} else {
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  await measureAll();
  if (options.index) console.error(`${options.index} stays: remove it with your engine's own tools`);
}

type Measured = { readonly rows: number } & Readonly<Record<string, number>>;

async function measureAll(): Promise<void> {
  await writeFile(join(folder, 'image.png'), new Uint8Array(1000));
  for (const name of ['a', 'b']) await symlink('.', join(folder, name));
  for (let at = 0; at < filesPerFolder; at += 1) await symlink('image.png', join(folder, `${at}.png`));
  const facts = await stat(join(folder, 'image.png'));
  const store = await backend.create(location, {
    ...{ version: formatVersion, model: 'scale', fingerprint: '', dimensions, precision: 'float16' },
    ...{ targetPad: null, created: new Date().toISOString() },
  });
  await store.close();
  const results: Measured[] = [];
  for (const rows of sizes.toSorted((a, b) => a - b)) {
    const measured = await grow(rows, results.at(-1)?.rows ?? 0, facts);
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...process.execArgv,
      import.meta.filename,
      ...[`${rows}`, '--update', folder, '--index', uri, '--held', `${held}`],
    ]);
    results.push({ rows, ...measured, ...(JSON.parse(stdout) as object) });
    const engine = /^(\w+):\/\//.exec(uri)?.[1] ?? 'lancedb';
    const fits = results.length < 3 ? undefined : fitsOf(results);
    await saveResult(`scale-${engine}`, { machine: machine(), dimensions, held, results, fits });
    console.error(`${formatCount(rows)} images`, results.at(-1));
  }
  if (results.length >= 3) printTable(results);
}

/** Adds rows up to a number, and measures the store. */
async function grow(rows: number, before: number, facts: { size: number; mtimeMs: number; ctimeMs: number }) {
  const store = await backend.open(location, 'write');
  const made = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => pictureAt(from + at, facts));
  let adding = 0;
  for (let from = before; from < rows; from += rowsPerAdd) {
    const some = made(from, Math.min(rowsPerAdd, rows - from));
    adding += await timed(() => store.add(some));
  }
  const maintaining = await timed(() => store.maintain());
  const lookUp = async (column: 'id' | 'path', from: number) => {
    const values = Array.from({ length: rowsPerLookup }, (_, at) => {
      const path = pathAt(from + ((at * 7919) % rows));
      return column === 'id' ? idOf(path) : path;
    });
    return await milliseconds(() => store.lookUp(column, values));
  };
  const listing = await timed(async () => {
    for await (const _ of store.images());
  });
  const measured = {
    addedPerSecond: (rows - before) / adding,
    maintainSeconds: maintaining,
    bytesPerRow: ((await store.statistics()).bytes ?? 0) / rows,
    knownIdsMs: await lookUp('id', 0),
    newIdsMs: await lookUp('id', 1e9),
    pathsMs: await lookUp('path', 0),
    listSeconds: listing,
    ...(await merging(store, rows, made)),
  };
  await store.close();
  return Object.fromEntries(Object.entries(measured).map(([name, value]) => [name, rounded(value)]));
}

/** Commits of the size that `lincir index` makes. What is added is taken out again. */
async function merging(
  store: VectorStore,
  rows: number,
  made: (from: number, count: number) => StoredImage[],
) {
  let next = 2e9;
  const fresh = () => {
    next += rowsPerCommit;
    return made(next, rowsPerCommit);
  };
  const addMs = await milliseconds(() => store.add(fresh()));
  const some = made(Math.floor(rows / 2), rowsPerCommit);
  const addAgainMs = await milliseconds(() => store.add(some));
  const moveMs = await milliseconds(() => store.move(some));
  const added = Array.from({ length: (rounds + 1) * rowsPerCommit }, (_, at) =>
    idOf(pathAt(2e9 + rowsPerCommit + at)),
  );
  await store.remove(added);
  await store.maintain();
  return { addMs, addAgainMs, moveMs };
}

/** The median of some rounds, after one that is not counted. */
async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  await work();
  const all: number[] = [];
  for (let round = 0; round < rounds; round += 1) all.push(1000 * (await timed(work)));
  return median(all);
}

/** An update that finds nothing new: seconds, and the most memory that this process has taken. */
async function update(rows: number) {
  const store = await backend.open(location, 'write');
  const clip = {} as Clip; // It has nothing to encode.
  const peakBefore = await peakMiB();
  let unchanged = 0;
  const seconds = await timed(async () => {
    const paths = async function* () {
      for (let at = 0; at < rows; at += 1) yield pathAt(at);
    };
    for await (const event of updateIndex(store, clip, { paths, heldImages: held })) {
      if (event.kind === 'end') unchanged = event.summary.unchanged;
    }
  });
  await store.close();
  if (unchanged !== rows) throw new Error(`expected ${rows} unchanged images, found ${unchanged}`);
  return { updateSeconds: rounded(seconds), peakMiB: await peakMiB(), peakMiBBefore: peakBefore };
}

async function peakMiB(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024);
}

function pathAt(at: number): string {
  const number = Math.floor(at / filesPerFolder);
  const links = Array.from({ length: levels }, (_, level) =>
    Math.floor(number / 2 ** level) % 2 ? 'b' : 'a',
  );
  return posix.join(folder, ...links, `${at % filesPerFolder}.png`) + (at < 1e9 ? '' : `?${at}`);
}

function pictureAt(at: number, facts: { size: number; mtimeMs: number; ctimeMs: number }): StoredImage {
  const path = pathAt(at);
  const vector = normals({ seed: 1, purpose: 'noise', moment: at, row: 0 }, dimensions);
  normalizeRows(vector, dimensions);
  return {
    ...{ id: idOf(path), path, folder: posix.dirname(path), size: facts.size, modified: facts.mtimeMs },
    ...{ statusChanged: facts.ctimeMs, hash: idOf(path).repeat(3).slice(0, 64), norm: 10, vector },
  };
}

function fitsOf(results: readonly Measured[]) {
  const large = results.filter(({ rows }) => rows >= fewestForFit);
  const fitted = large.length < 3 ? results : large;
  const rows = fitted.map((result) => result.rows);
  const names = Object.keys(results[0]!).filter((name) => name !== 'rows');
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = fitted.map((result) => result[name]!);
      if (values.some((value) => !(value > 0))) return [];
      const { exponent, residual, at } = logLogFit(rows, values);
      const predictions = predicted.map((size) => {
        const { value, factor } = at(size);
        return { rows: size, value: rounded(value), factor: rounded(factor) };
      });
      return [[name, { exponent: rounded(exponent), residual: rounded(residual), predictions }]];
    }),
  );
}

/** In Markdown. Predictions stand with the factor of two standard errors. */
function printTable(results: readonly Measured[]): void {
  const line = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
  line([
    '',
    ...results.map(({ rows }) => formatCount(rows)),
    'grows with',
    ...predicted.map((size) => formatCount(size)),
  ]);
  line(['---', ...results.map(() => '---:'), '---:', ...predicted.map(() => '---:')]);
  for (const [name, { exponent, predictions }] of Object.entries(fitsOf(results))) {
    const cells = results.map((result) => `${result[name]}`);
    const guesses = predictions.map(({ value, factor }) => `${value} (x/ ${factor})`);
    line([name, ...cells, `rows^${exponent}`, ...guesses]);
  }
}
