/**
 * What an index of so many images costs and how well it is searched: seconds, bytes on disk, recall and memory:
 * `node bench/vector-search.ts [ROWS…] [--folder DIR] [--dimensions 768]`. Each size is searched by a process of its own.
 */

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { formatBytes, formatCount, formatDuration } from '../src/core/index.ts';
import { backendOf, formatVersion, parseFilter, type VectorStore } from '../src/store/index.ts';
import { machine, rounded, saveResult } from './results.ts';
import { median, timed } from './turns.ts';

/** Queries of one kind. */
interface Search {
  readonly kind: string;
  readonly filter?: string;
  /** `nearest`: the ids of the nearest images that pass, the nearest first. */
  readonly queries: readonly { readonly vector: Float32Array; readonly nearest: readonly string[] }[];
}

/** What the process that searches is given. */
interface Plan {
  readonly warmUp: readonly Float32Array[];
  readonly searches: readonly Search[];
}

type Measured = Awaited<ReturnType<typeof measure>>;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: tmpdir() },
    dimensions: { type: 'string', default: '768' },
    /** For the process that searches: the folder of a built index and its plan. */
    search: { type: 'string' },
  },
});
const sizes = (positionals.length > 0 ? positionals : ['10000', '100000', '1000000']).map(Number);
const dimensions = Number(options.dimensions);
if (![...sizes, dimensions].every((count) => Number.isInteger(count) && count > 0)) {
  throw new Error('usage: node bench/vector-search.ts [ROWS…] [--folder DIR] [--dimensions 768]');
}
const picturesPerCall = 10_000;
const seeds = { pictures: 1, near: 2, warmUp: 3 };
const queriesPerKind = 200;
const warmUpQueries = 20;
const filteredQueries = 30;
const exactQueries = 5;
const limit = 50;
const fewHits = 10;
/** Filters keep 50, 1 and 0.01 % of all images. */
const filterSizes = [500_000, 10_000, 100];

if (options.search !== undefined) {
  console.log(JSON.stringify(await searchAll(options.search)));
} else {
  const folder = await mkdtemp(join(options.folder, 'lincir-vector-search-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const results: Measured[] = [];
  for (const rows of sizes) {
    results.push(await measure(join(folder, `${rows}`), rows));
    await saveResult('vector-search', { machine: machine(), dimensions, results });
  }
  printTable(results);
}

async function measure(folder: string, rows: number) {
  const built = await build(folder, rows);
  console.error(`${formatCount(rows)} images are in; searching`);
  const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, '--search', folder]);
  await rm(folder, { recursive: true });
  const found: Awaited<ReturnType<typeof searchAll>> = JSON.parse(stdout);
  return { rows, ...built, ...found };
}

/** Writes an index, and beside it what is to be found there. */
async function build(folder: string, rows: number) {
  // Imported here alone: the process that searches is to hold the store, not ONNX Runtime.
  const clustered = await import('./clustered-vectors.ts');
  const source = await clustered.clusteredVectors(dimensions);
  const near = await source.draw(seeds.near, 0, queriesPerKind);
  const few = near.subarray(0, filteredQueries * dimensions);
  const kinds: { kind: string; vectors: Float32Array; sizeBelow?: number }[] = [
    { kind: 'near', vectors: near },
    { kind: 'far', vectors: clustered.farQueries(near, dimensions) },
    ...filterSizes.map((sizeBelow) => ({ kind: 'near', vectors: few, sizeBelow })),
  ];
  const truths = await Promise.all(
    kinds.map(({ vectors }) => clustered.ExactSearch.create(vectors, { dimensions, limit })),
  );

  const index = join(folder, 'index.lance');
  const { backend, location } = await backendOf(index);
  const store = await backend.create(location, {
    version: formatVersion,
    model: 'clustered vectors',
    fingerprint: '',
    dimensions,
    precision: 'float32',
    targetPad: null,
    created: new Date().toISOString(),
  });
  let addingSeconds = 0;
  for (let first = 0; first < rows; first += picturesPerCall) {
    const vectors = await source.draw(seeds.pictures, first, Math.min(picturesPerCall, rows - first));
    const pictures = clustered.picturesOf(vectors, first, dimensions);
    addingSeconds += await timed(() => store.add(pictures));
    for (const [at, { sizeBelow = Infinity }] of kinds.entries()) {
      await truths[at]!.add(vectors, first, (row) => pictures[row - first]!.size < sizeBelow);
    }
  }
  const buildingSeconds = await timed(() => store.maintain());
  const { approximate } = await store.statistics();
  await store.close();
  const atFirst = await bytesIn(index);
  await forgetOldVersions(index);

  const searches = kinds.map(({ kind, sizeBelow }, at): Search => {
    const found = truths[at]!.nearest();
    const queries = found.map(({ vector, rows }) => ({ vector, nearest: rows.map(clustered.idOf) }));
    return { kind, ...(sizeBelow && { filter: `size < ${sizeBelow}` }), queries };
  });
  const warmUp = clustered.vectorsIn(await source.draw(seeds.warmUp, 0, warmUpQueries), dimensions);
  await writeFile(join(folder, 'plan'), serialize({ warmUp, searches } satisfies Plan));
  await Promise.all([source, ...truths].map((owner) => owner.dispose()));
  return {
    addingSeconds: rounded(addingSeconds),
    buildingSeconds: rounded(buildingSeconds),
    bytes: {
      /** With versions that are kept for readers: vectors as they were added and as compacted. */
      atFirst,
      index: await bytesIn(index),
      approximateIndex: await bytesIn(index, '_indices'),
      vectors: rows * dimensions * 4,
    },
    approximate,
  };
}

/** All searches in an index that was built, with what they take of memory. */
async function searchAll(folder: string) {
  const { warmUp, searches }: Plan = deserialize(await readFile(join(folder, 'plan')));
  const [near, far, ...filtered] = searches as [Search, Search, ...Search[]];
  const { backend, location } = await backendOf(join(folder, 'index.lance'));
  const store = await backend.open(location, 'read');
  const before = await memory();
  for (const vector of warmUp) await store.search({ vector, limit });
  const found = [];
  for (const hits of [limit, fewHits]) {
    for (const search of [near, far]) found.push(await measureSearch(store, search, hits));
  }
  const afterSearches = await memory();
  for (const search of filtered) found.push(await measureSearch(store, search, limit));
  const exact = { ...near, queries: near.queries.slice(0, exactQueries) };
  found.push(await measureSearch(store, exact, limit, true));
  const memoryMiB = { before, afterSearches, afterAll: await memory() };
  await store.close();
  return { searches: found, memoryMiB };
}

async function measureSearch(store: VectorStore, search: Search, limit: number, exact = false) {
  const { kind, filter: text, queries } = search;
  const filter = text === undefined ? undefined : parseFilter(text, await store.columns());
  const milliseconds: number[] = [];
  const sums = { hits: 0, possible: 0, right: 0 };
  for (const { vector, nearest } of queries) {
    const start = performance.now();
    const hits = await store.search({ vector, limit, filter, exact });
    milliseconds.push(performance.now() - start);
    const wanted = new Set(nearest.slice(0, limit));
    sums.hits += hits.length;
    sums.possible += wanted.size;
    sums.right += hits.filter(({ id }) => wanted.has(id)).length;
  }
  const name = [kind, `top ${limit}`, ...(text ? [text] : []), ...(exact ? ['exact'] : [])].join(', ');
  return {
    name,
    queries: queries.length,
    p50: rounded(median(milliseconds)),
    p95: rounded(milliseconds.toSorted((a, b) => a - b)[Math.ceil(0.95 * milliseconds.length) - 1]!),
    /** Null where no image passes the filter. */
    recall: sums.possible === 0 ? null : rounded(sums.right / sums.possible),
    /** Of a query. */
    hits: sums.hits / queries.length,
    possible: sums.possible / queries.length,
  };
}

/** This process's memory, in MiB: resident, without files, and the most that was resident. */
async function memory() {
  const status = await readFile('/proc/self/status', 'utf8');
  const mebibytes = (name: string): number =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024);
  return { resident: mebibytes('VmRSS'), anonymous: mebibytes('RssAnon'), peak: mebibytes('VmHWM') };
}

/** As maintain() does of itself when they are ten minutes old. */
async function forgetOldVersions(index: string): Promise<void> {
  const { connect } = await import('@lancedb/lancedb'); // after the store has told it to be quiet
  const database = await connect(index);
  for (const name of await database.tableNames()) {
    const table = await database.openTable(name);
    await table.optimize({ cleanupOlderThan: new Date() });
    table.close();
  }
  database.close();
}

/** Of all files, or of those in folders of this name. */
async function bytesIn(folder: string, name?: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const counted = files.filter((file) => name === undefined || file.split(sep).includes(name));
  const stats = await Promise.all(counted.map((file) => stat(file)));
  return stats.reduce((sum, { size }) => sum + size, 0);
}

/** In Markdown. Searches: p50, p95; recall; hits of a query. Memory: resident, in parentheses without mapped files. */
function printTable(results: readonly Measured[]): void {
  const columns = results.map(linesOf);
  const line = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
  line(['images', ...results.map(({ rows }) => formatCount(rows))]);
  line(['---', ...results.map(() => '---:')]);
  for (const [at, [label]] of columns[0]!.entries()) line([label, ...columns.map((lines) => lines[at]![1])]);
}

function linesOf({ addingSeconds, buildingSeconds, bytes, searches, memoryMiB }: Measured) {
  const { before, afterSearches, afterAll } = memoryMiB;
  return [
    ['adding', formatDuration(addingSeconds)],
    ['maintain()', formatDuration(buildingSeconds)],
    ['on disk; in the first minutes', `${formatBytes(bytes.index)}; ${formatBytes(bytes.atFirst)}`],
    ['of this the approximate index', formatBytes(bytes.approximateIndex)],
    ['vectors as float32', formatBytes(bytes.vectors)],
    ...searches.map(({ name, p50, p95, recall, hits, possible }) => [
      name,
      `${p50.toFixed(1)}, ${p95.toFixed(1)} ms; ${recall?.toFixed(4) ?? '-'}; ${hits} of ${possible}`,
    ]),
    ['MiB before the first search', `${before.resident}`],
    ['MiB after those without filters', `${afterSearches.resident} (${afterSearches.anonymous})`],
    ['MiB after all; peak', `${afterAll.resident} (${afterAll.anonymous}); ${afterAll.peak}`],
  ] as [string, string][];
}
