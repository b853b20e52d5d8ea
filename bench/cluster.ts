/**
 * A cluster beside LanceDB on the same data: what adding costs, recall, speed by clients, memory and disk:
 * `node bench/cluster.ts --cluster 127.0.0.1:9201,127.0.0.1:9202 [ROWS…] [--dimensions 768]`.
 */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatCount } from '../src/core/index.ts';
import {
  backendOf,
  formatVersion,
  parseFilter,
  type StoreInfo,
  type VectorStore,
} from '../src/store/index.ts';
import { clusteredVectors, ExactSearch, farQueries, idOf, picturesOf } from './clustered-vectors.ts';
import { machine, rounded, saveResult } from './results.ts';
import { median, timed } from './turns.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cluster: { type: 'string' },
    dimensions: { type: 'string', default: '768' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const sizes = (positionals.length > 0 ? positionals : ['100000']).map(Number);
const dimensions = Number(options.dimensions);
const nodes = options.cluster?.split(',');
if (nodes === undefined || ![...sizes, dimensions].every((count) => Number.isInteger(count) && count > 0)) {
  throw new Error('usage: node bench/cluster.ts --cluster HOST:PORT,… [ROWS…] [--dimensions 768]');
}

const picturesPerCall = 1000;
const queriesPerKind = 200;
const filteredQueries = 50;
const limit = 50;
const clientCounts = [1, 8, 32];
/** Filters keep 50, 1 and 0.01 % of all images: their sizes are uniform below a million. */
const filterSizes = [500_000, 10_000, 100];
const seeds = { pictures: 1, near: 2 };

/** Queries, and the ids of the nearest images that pass. */
interface Search {
  readonly name: string;
  readonly filter?: string;
  readonly queries: readonly { readonly vector: Float32Array; readonly nearest: readonly string[] }[];
}

/** What the cluster's processes have used so far, by their own account. */
interface Usage {
  readonly cpuSeconds: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
}

const results: Awaited<ReturnType<typeof measure>>[] = [];
for (const rows of sizes) {
  const folder = await mkdtemp(join(options.folder, 'lincir-cluster-'));
  try {
    results.push(await measure(rows, folder));
  } finally {
    await rm(folder, { recursive: true });
  }
  await saveResult('cluster', { machine: machine(), nodes: nodes.length, dimensions, limit, results });
}
for (const { rows, engines } of results) {
  console.log(`${formatCount(rows)} images`);
  console.table(
    engines.map(({ engine, searches, clients, ...rest }) => ({
      engine,
      ...rest,
      ...Object.fromEntries(searches.map(({ name, recall, hits }) => [name, `${recall}; ${hits}`])),
      ...Object.fromEntries(
        clients.map(({ clients: count, p50, p95, perSecond }) => [
          `${count} clients`,
          `${p50}, ${p95} ms, ${perSecond}/s`,
        ]),
      ),
    })),
  );
}

async function measure(rows: number, folder: string) {
  const addresses = {
    LanceDB: join(folder, 'index.lance'),
    OpenSearch: `opensearch://${nodes!.join(',')}/lincir-bench-${process.pid}`,
  };
  const stores: { readonly engine: string; readonly store: VectorStore }[] = [];
  for (const [engine, address] of Object.entries(addresses)) {
    const { backend, location } = await backendOf(address);
    const info: StoreInfo = {
      ...{ version: formatVersion, model: 'clustered vectors', fingerprint: '', dimensions },
      precision: 'float32',
      targetPad: null,
      created: new Date().toISOString(),
    };
    stores.push({ engine, store: await backend.create(location, info) });
  }
  try {
    const before = await usage();
    const { searches, seconds } = await fill(stores, rows);
    const after = await usage();
    const engines = [];
    for (const { engine, store } of stores) {
      const { bytes = 0 } = await store.statistics();
      const isCluster = engine === 'OpenSearch';
      engines.push({
        engine,
        addedPerSecond: rounded(rows / seconds.get(engine)!.adding),
        maintainSeconds: rounded(seconds.get(engine)!.maintaining),
        ...(isCluster && {
          serverMillisecondsPerVector: rounded((1000 * (after.cpuSeconds - before.cpuSeconds)) / rows),
          residentBytesOfNodes: after.residentBytes,
          heapBytesOfNodes: after.heapBytes,
        }),
        diskBytesPerVector: Math.round(bytes / rows),
        searches: await Promise.all(searches.map((search) => quality(store, search))),
        clients: await speed(store, searches[0]!),
      });
    }
    return { rows, engines };
  } finally {
    for (const { store } of stores) await store.close();
    await dropIndexes(addresses.OpenSearch.split('/').at(-1)!);
  }
}

/** Adds the same images to all stores, in turns, and finds the true neighbours of the queries. */
async function fill(
  stores: readonly { readonly engine: string; readonly store: VectorStore }[],
  rows: number,
) {
  const source = await clusteredVectors(dimensions);
  const near = await source.draw(seeds.near, 0, queriesPerKind);
  const few = near.subarray(0, filteredQueries * dimensions);
  const kinds: { name: string; vectors: Float32Array; below?: number }[] = [
    { name: 'near', vectors: near },
    { name: 'far', vectors: farQueries(near, dimensions) },
    ...filterSizes.map((below) => ({ name: `size < ${below}`, vectors: few, below })),
  ];
  const truths = await Promise.all(
    kinds.map(({ vectors }) => ExactSearch.create(vectors, { dimensions, limit })),
  );
  const seconds = new Map(stores.map(({ engine }) => [engine, { adding: 0, maintaining: 0 }]));
  for (let first = 0; first < rows; first += picturesPerCall) {
    const vectors = await source.draw(seeds.pictures, first, Math.min(picturesPerCall, rows - first));
    const pictures = picturesOf(vectors, first, dimensions);
    for (const { engine, store } of stores) {
      seconds.get(engine)!.adding += await timed(() => store.add(pictures));
    }
    for (const [at, { below = Infinity }] of kinds.entries()) {
      await truths[at]!.add(vectors, first, (row) => pictures[row - first]!.size < below);
    }
    if (first % (10 * picturesPerCall) === 0) console.error(`${formatCount(first)} of ${formatCount(rows)}`);
  }
  for (const { engine, store } of stores) {
    seconds.get(engine)!.maintaining = await timed(() => store.maintain());
  }
  const searches = kinds.map(({ name, below }, at): Search => {
    const queries = truths[at]!.nearest().map(({ vector, rows: found }) => ({
      vector,
      nearest: found.map(idOf),
    }));
    return { name, ...(below !== undefined && { filter: `size < ${below}` }), queries };
  });
  await Promise.all([source, ...truths].map((owner) => owner.dispose()));
  return { searches, seconds };
}

/** Recall of all queries together, and how many hits there are of how many that are possible. */
async function quality(store: VectorStore, { name, filter: text, queries }: Search) {
  const filter = text === undefined ? undefined : parseFilter(text, await store.columns());
  const sums = { hits: 0, possible: 0, right: 0 };
  for (const { vector, nearest } of queries) {
    const hits = await store.search({ vector, limit, filter });
    const wanted = new Set(nearest);
    sums.hits += hits.length;
    sums.possible += wanted.size;
    sums.right += hits.filter(({ id }) => wanted.has(id)).length;
  }
  const recall = sums.possible === 0 ? null : rounded(sums.right / sums.possible);
  return { name, recall, hits: `${sums.hits} of ${sums.possible}` };
}

/** Each client asks its next query when it has an answer. */
async function speed(store: VectorStore, { queries }: Search) {
  const measured = [];
  for (const clients of clientCounts) {
    const milliseconds: number[] = [];
    let next = 0;
    const ask = async () => {
      for (let query = next++; query < 2 * queries.length; query = next++) {
        const { vector } = queries[query % queries.length]!;
        milliseconds.push(1000 * (await timed(() => store.search({ vector, limit }))));
      }
    };
    const whole = await timed(() => Promise.all(Array.from({ length: clients }, ask)));
    const sorted = milliseconds.toSorted((a, b) => a - b);
    measured.push({
      clients,
      p50: rounded(median(sorted)),
      p95: rounded(sorted[Math.ceil(0.95 * sorted.length) - 1]!),
      perSecond: rounded(sorted.length / whole),
    });
  }
  return measured;
}

async function usage(): Promise<Usage> {
  const answer = await fetch(`http://${nodes![0]}/_nodes/stats/process,jvm`);
  const stats = (await answer.json()) as {
    readonly nodes: Readonly<
      Record<
        string,
        {
          readonly process: { readonly cpu: { readonly total_in_millis: number } };
          readonly jvm: { readonly mem: { readonly heap_used_in_bytes: number } };
        }
      >
    >;
  };
  const all = Object.values(stats.nodes);
  const sum = (of: (node: (typeof all)[number]) => number) =>
    all.reduce((total, node) => total + of(node), 0);
  return {
    cpuSeconds: sum(({ process: { cpu } }) => cpu.total_in_millis) / 1000,
    heapBytes: sum(({ jvm }) => jvm.mem.heap_used_in_bytes),
    residentBytes: await residentBytes(),
  };
}

/** Of the cluster's processes on this machine. */
async function residentBytes(): Promise<number> {
  let bytes = 0;
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (!command.includes('org.opensearch.bootstrap.OpenSearch')) continue;
    const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
    bytes += 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  }
  return bytes;
}

async function dropIndexes(name: string): Promise<void> {
  const listed = await fetch(
    `http://${nodes![0]}/_cat/indices/*${name}*?format=json&h=index&expand_wildcards=all`,
  );
  for (const { index } of (await listed.json()) as readonly { readonly index: string }[]) {
    await fetch(`http://${nodes![0]}/${encodeURIComponent(index)}`, { method: 'DELETE' });
  }
}
