/**
 * A network that parts one of three OpenSearch nodes from the other two, while lincir adds and searches on both sides:
 * `JAVA_HOME=… node bench/cluster-partition.ts HOME [--cuts 3] [--seconds 150] [--seed 1]`. Needs root.
 * `--block all` gives the cluster the setting `cluster.no_cluster_manager_block`; `--name NAME` is of the results.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sequence } from '../src/core/index.ts';
import { backendOf } from '../src/store/index.ts';
import { compare, madeImage, newInfo } from './cluster-kills/data.ts';
import { Loop } from './cluster-kills/loop.ts';
import { cut, enterOwnNetwork, heal, makeNetwork } from './cluster-kills/network.ts';
import { Nodes } from './cluster-kills/nodes.ts';
import { Ledger, Side } from './cluster-kills/side.ts';
import { machine, saveResult } from './results.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cuts: { type: 'string', default: '3' },
    /** How long each lasts: longer than a store is patient, so that its errors are seen. */
    seconds: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    block: { type: 'string' },
    name: { type: 'string', default: 'cluster-partition' },
  },
});
const [home] = positionals;
if (home === undefined) throw new Error('usage: JAVA_HOME=… node bench/cluster-partition.ts HOME [--cuts 3]');
enterOwnNetwork();
const [cuts, seed, duration] = [Number(options.cuts), Number(options.seed), 1000 * Number(options.seconds)];
const index = 'kills-partition';
const everybody = [0, 1, 2];
/** Milliseconds between two calls of one kind. */
const calm = { add: 500, search: 300, searchAnew: 2000 };
/** A refresh comes by itself after five seconds. */
const untilSeen = 6000;

const begin = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'lincir-partition-'));
const settings = options.block ? { 'cluster.no_cluster_manager_block': options.block } : {};
const nodes = await Nodes.start({ home: resolve(home), folder, settings, ...makeNetwork() });
const random = sequence({ seed, purpose: 'order', moment: 0, row: 0 });
const ledger = new Ledger();
const rounds: object[] = [];
try {
  say('three nodes run');
  await makeIndex();
  for (let number = 0; number < cuts; number += 1) {
    // The first parts the manager from the others.
    const lonely = number === 0 ? await nodes.manager() : Math.floor(random() * everybody.length);
    rounds.push(await oneCut(lonely));
    await saveResult(options.name, {
      ...{ machine: machine(), seed, noClusterManagerBlock: options.block ?? 'as it comes' },
      parts: process.env.LINCIR_OPENSEARCH_SHARDS ?? 'as it comes',
      replicas: process.env.LINCIR_OPENSEARCH_REPLICAS ?? 'as it comes',
      rounds,
    });
  }
} finally {
  await nodes.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

async function makeIndex(): Promise<void> {
  const images = Array.from({ length: 600 }, (_, at) => madeImage(`still-${at}`, at));
  const { backend, location } = await backendOf(nodes.address(index));
  const store = await backend.create(location, newInfo());
  await store.add(images);
  await store.close();
  for (const image of images) {
    ledger.acknowledged.set(image.id, image);
    ledger.committed.set(image.id, image);
    ledger.sent.add(image.id);
  }
}

async function oneCut(lonely: number) {
  await nodes.green();
  const isManager = (await nodes.manager()) === lonely;
  const sideOf = (numbers: readonly number[]) => new Side(nodes.address(index, numbers), ledger);
  const sides = {
    'lonely node': sideOf([lonely]),
    'two nodes': sideOf(everybody.filter((one) => one !== lonely)),
    'all nodes': sideOf(everybody),
  };
  const all = Object.values(sides);
  for (const side of all) await side.open();
  cut(lonely);
  const start = performance.now();
  say(`n${lonely + 1} is cut off${isManager ? ', the manager' : ''}`);
  for (const side of all) side.begin();
  const running = new AbortController();
  const loops = all.flatMap((side) => [
    new Loop(running.signal, calm.add, () => side.add()),
    new Loop(running.signal, calm.search, () => side.search(false)),
    new Loop(running.signal, calm.searchAnew, () => side.search(true)),
  ]);
  await pause(duration);
  for (const side of all) side.end();
  running.abort();
  heal(lonely);
  const healed = performance.now();
  await nodes.green();
  const green = performance.now() - healed;
  await Promise.all(loops.map(({ ended }) => ended));
  for (const side of all) await side.close();
  await pause(untilSeen);
  const checks = [];
  for (const number of everybody) checks.push(await check(number));
  const { present } = checks[0]!;
  const round = {
    ...{ lonely: lonely + 1, isManager, seconds: seconds(healed - start), secondsToGreen: seconds(green) },
    ...{ acknowledged: ledger.acknowledged.size, lost: Math.max(...checks.map(({ lost }) => lost)) },
    doubled: Math.max(...checks.map(({ doubled }) => doubled)),
    nodesAgree: checks.every((one) => isSame(present, one.present)),
    unequalCopies: (await nodes.unequalCopies(index)).length,
    told: Object.fromEntries(Object.entries(sides).map(([side, one]) => [side, one.told(present)])),
  };
  say(JSON.stringify(round, null, 1));
  return round;
}

/** What a node says when the network is whole again. */
async function check(number: number) {
  const { backend, location } = await backendOf(nodes.address(index, [number]));
  const store = await backend.open(location, 'read');
  try {
    const { lost, doubled } = await compare(store, ledger.acknowledged, (id) => ledger.sent.has(id));
    const images = (await Array.fromAsync(store.images())).flat();
    return { lost: lost.length, doubled: doubled.length, present: new Set(images.map(({ id }) => id)) };
  } finally {
    await store.close();
  }
}

function say(text: string): void {
  console.log(`${seconds(performance.now() - begin)} s: ${text}`);
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}
