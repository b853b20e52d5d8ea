/**
 * A network that parts one of three OpenSearch nodes from the other two, while lincir adds and searches on both sides:
 * `OPENSEARCH_HOME=… JAVA_HOME=… node bench/cluster-partition.ts [--cuts 3] [--seconds 150] [--seed 1]`. Needs root.
 * With `--block all`, the cluster has the setting `cluster.no_cluster_manager_block: all`.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sequence } from '../src/core/index.ts';
import { type FoundImage, openIndex } from '../src/indexing/index.ts';
import { backendOf, type StoredImage, type VectorStore } from '../src/store/index.ts';
import { compare, dot, madeImage, newInfo, queryOf, top } from './cluster-kills/data.ts';
import { Loop } from './cluster-kills/loop.ts';
import { cut, enterOwnNetwork, heal, makeNetwork, removeNetwork } from './cluster-kills/network.ts';
import { Nodes } from './cluster-kills/nodes.ts';
import { machine, saveResult } from './results.ts';

const { values: options } = parseArgs({
  options: {
    cuts: { type: 'string', default: '3' },
    /** How long each lasts: longer than a store is patient, so that its errors are seen. */
    seconds: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    block: { type: 'string' },
  },
});
enterOwnNetwork();
const [cuts, seed, duration] = [Number(options.cuts), Number(options.seed), 1000 * Number(options.seconds)];
const name = 'kills-partition';
const imagesPerCall = 20;

/** What one side's client was told while the network was cut. */
interface Told {
  added: number;
  failedAdds: number;
  answers: number;
  failedSearches: number;
  /** Answers that lack what was committed before the cut, or have what nobody gave. */
  wrong: number;
  /** Answers that lack what somebody committed since. */
  stale: number;
  longestSeconds: number;
  errors: string[];
}
type Side = 'lonely node' | 'two nodes' | 'all nodes';

const folder = await mkdtemp(join(tmpdir(), 'lincir-partition-'));
const places = makeNetwork();
const setting = options.block && `cluster.no_cluster_manager_block: ${options.block}`;
const nodes = new Nodes(folder, places, setting);
const random = sequence({ seed, purpose: 'order', moment: 0, row: 0 });
const begin = performance.now();
const acknowledged = new Map<string, StoredImage>();
/** What searches must find. */
const committed = new Map<string, StoredImage>();
/** Given to some call, which may not have ended: searches may find it. */
const sent = new Set<string>();
const rounds: object[] = [];
const still = Array.from({ length: 600 }, (_, at) => madeImage(`still-${at}`, at));
const kept = new Map<string, VectorStore>();
let made = 0;
try {
  await nodes.startAll();
  say('three nodes run');
  const store = await opened([0, 1, 2], 'create');
  await store.add(still);
  await store.close();
  for (const image of still) {
    acknowledged.set(image.id, image);
    committed.set(image.id, image);
    sent.add(image.id);
  }
  for (let number = 0; number < cuts; number += 1) {
    // The first parts the manager from the others.
    const lonely = number === 0 ? await nodes.manager() : Math.floor(random() * 3);
    rounds.push(await oneCut(lonely));
    await saveResult(options.block ? `cluster-partition-${options.block}` : 'cluster-partition', {
      ...{
        machine: machine(),
        seed,
        secondsPerCut: duration / 1000,
        block: options.block ?? 'as it comes',
        rounds,
      },
    });
  }
} finally {
  await nodes.stop();
  removeNetwork();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

async function oneCut(lonely: number) {
  await nodes.green();
  const others = [0, 1, 2].filter((one) => one !== lonely);
  const isManager = (await nodes.manager()) === lonely;
  const sides = { 'lonely node': [lonely], 'two nodes': others, 'all nodes': [0, 1, 2] } as const;
  const told = new Map<Side, Told>();
  const running = new AbortController();
  let isCut = true;
  cut(lonely);
  const start = performance.now();
  say(`n${lonely + 1} is cut off${isManager ? ', the manager' : ''}`);
  const before = new Map(committed);
  const work = Object.entries(sides).map(async ([side, numbers]) => {
    const found: Told = {
      ...{ added: 0, failedAdds: 0, answers: 0, failedSearches: 0, wrong: 0, stale: 0, longestSeconds: 0 },
      errors: [],
    };
    told.set(side as Side, found);
    const failed = (kind: 'failedAdds' | 'failedSearches', error: unknown) => {
      if (!isCut) return;
      found[kind] += 1;
      const { message, cause } = error as Error;
      const text = `${message} (${cause instanceof Error ? cause.message : ''})`.slice(0, 300);
      if (!found.errors.includes(text) && found.errors.length < 6) found.errors.push(text);
    };
    const timed = async (call: () => Promise<void>) => {
      const from = performance.now();
      await call();
      const took = seconds(performance.now() - from);
      if (isCut) found.longestSeconds = Math.max(found.longestSeconds, took);
      return true;
    };
    const adding = new Loop(running.signal, 500, () =>
      timed(() =>
        add(
          numbers,
          (added) => {
            if (isCut) found.added += added;
          },
          (error) => failed('failedAdds', error),
        ),
      ),
    );
    const searching = new Loop(running.signal, 500, () =>
      timed(() =>
        search(
          numbers,
          before,
          found,
          () => isCut,
          (error) => failed('failedSearches', error),
        ),
      ),
    );
    await Promise.all([adding.ended, searching.ended]);
  });
  await pause(duration);
  isCut = false;
  running.abort();
  heal(lonely);
  say('healed');
  const healed = performance.now();
  await nodes.green();
  const green = seconds(performance.now() - healed);
  await Promise.all(work);
  await pause(6000);
  const checks = [];
  for (const number of [0, 1, 2]) {
    const store = await opened([number], 'read');
    const { lost, doubled } = await compare(store, acknowledged, (id) => sent.has(id));
    const ids = (await Array.fromAsync(store.images())).flat().map(({ id }) => id);
    checks.push({ lost: lost.length, doubled: doubled.length, ids: ids.sort().join() });
    await store.close();
  }
  const round = {
    ...{ lonely: lonely + 1, isManager, seconds: seconds(healed - start), secondsToGreen: green },
    ...{ acknowledged: acknowledged.size, lost: Math.max(...checks.map(({ lost }) => lost)) },
    doubled: Math.max(...checks.map(({ doubled }) => doubled)),
    nodesAgree: new Set(checks.map(({ ids }) => ids)).size === 1,
    unequalCopies: (await nodes.unequalCopies(name)).length,
    told: Object.fromEntries(told),
  };
  say(JSON.stringify(round, null, 1));
  return round;
}

/** Opens the index anew, as a command does, and adds. What fails is repeated, once the network is whole. */
async function add(
  numbers: readonly number[],
  done: (count: number) => void,
  failed: (error: unknown) => void,
): Promise<void> {
  const images = Array.from({ length: imagesPerCall }, () => madeImage(`new-${++made}`, 1000 + made));
  for (const { id } of images) sent.add(id);
  try {
    const store = await keptFor(numbers);
    await store.add(images);
    for (const image of images) acknowledged.set(image.id, image);
    done(images.length);
    await store.commit();
    for (const image of images) committed.set(image.id, image);
  } catch (error) {
    failed(error);
  }
}

async function search(
  numbers: readonly number[],
  before: ReadonlyMap<string, StoredImage>,
  found: Told,
  isCounted: () => boolean,
  failed: (error: unknown) => void,
): Promise<void> {
  const { vector } = madeImage('query', 950_000 + Math.floor(random() * 100));
  const due = new Map(committed);
  try {
    const index = await openIndex(nodes.address(name, numbers));
    try {
      const hits = await index.search(queryOf(vector), { exact: true });
      if (!isCounted()) return;
      found.answers += 1;
      if (!hits.every(({ id }) => sent.has(id)) || lacks(hits, vector, before)) {
        found.wrong += 1;
        console.log(`wrong: ${hits.map(({ id, score }) => `${id} ${score}`)}`);
      } else if (lacks(hits, vector, due)) found.stale += 1;
    } finally {
      await index.close();
    }
  } catch (error) {
    failed(error);
  }
}

/** Whether an answer has not all of the nearest that it must have. */
function lacks(hits: readonly FoundImage[], vector: Float32Array, due: ReadonlyMap<string, StoredImage>) {
  const last = hits.length < top ? -1 : hits.at(-1)!.score + 1e-5;
  const ids = new Set(hits.map(({ id }) => id));
  return [...due.values()].some((image) => !ids.has(image.id) && dot(image.vector, vector) > last);
}

/** The stores that add stay open, as a worker's do. */
async function keptFor(numbers: readonly number[]): Promise<VectorStore> {
  const key = numbers.join();
  const store = kept.get(key) ?? (await opened(numbers, 'add'));
  kept.set(key, store);
  return store;
}

async function opened(numbers: readonly number[], access: 'read' | 'add' | 'create'): Promise<VectorStore> {
  const { backend, location } = await backendOf(nodes.address(name, numbers));
  if (access === 'create') return await backend.create(location, newInfo());
  return await backend.open(location, access);
}

function say(text: string): void {
  console.log(`${seconds(performance.now() - begin)} s: ${text}`);
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
