/**
 * `kill -9` of one of three OpenSearch nodes at a random moment while lincir adds, searches, rebuilds and annotates:
 * `JAVA_HOME=… node bench/cluster-kills.ts HOME [--kills 20] [--seed 1] [--only ingest]`, where `test/cluster/install.sh`
 * made HOME. All four go on through the kill, the time without the node, and its return. Then everything that was
 * acknowledged is looked for.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sequence } from '../src/core/index.ts';
import { type Activity, Annotate, Ingest, Search } from './cluster-kills/activities.ts';
import { Loop } from './cluster-kills/loop.ts';
import { Nodes } from './cluster-kills/nodes.ts';
import { Reindexing } from './cluster-kills/reindexing.ts';
import { machine, saveResult } from './results.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const [home] = positionals;
if (home === undefined) throw new Error('usage: JAVA_HOME=… node bench/cluster-kills.ts HOME [--kills 20]');
const [kills, seed] = [Number(options.kills), Number(options.seed)];
/** Milliseconds until a kill, at most, and between two calls of one activity. */
const longestCalm = 10_000;
const pauseOfSteps = 1000;
const pauseOfSearches = 500;
/** A node is started again after so many at most. Its start takes ten seconds and more. */
const longestAbsence = 5_000;
const mostMilliseconds = 300_000;

/** What came of an activity in all rounds. */
interface Totals {
  kills: number;
  killsOfManager: number;
  acknowledged: number;
  lost: number;
  doubled: number;
  unequalCopies: number;
  searches: number;
  failedSearches: number;
  wrongSearches: number;
  calls: number;
  /** Of changes: each was repeated until it was done. */
  failedCalls: number;
  longestSearchSeconds: number;
  longestCallSeconds: number;
}

const folder = await mkdtemp(join(tmpdir(), 'lincir-kills-'));
const random = sequence({ seed, purpose: 'order', moment: 0, row: 0 });
const begin = performance.now();
console.log(`seed ${seed}, in ${folder}`);
const nodes = await Nodes.start({ home: resolve(home), folder, basePort: 9240 });
say('three nodes run');
const address = (name: string) => nodes.address(name);
const reindexing = new Reindexing(address, (name) => nodes.generations(name));
const activities: readonly Activity[] = [
  new Ingest(address, (name) => nodes.delete(name)),
  new Search(address),
  reindexing,
  new Annotate(address),
].filter(({ name }) => options.only === undefined || name === `kills-${options.only}`);
const totals = new Map(activities.map(({ name }) => [name, newTotals()]));
const problems: string[] = [];
const greenSeconds: number[] = [];

for (let round = 0; round < kills; round += 1) {
  await oneRound(round);
  await save(round + 1);
}
await reindexing.close();
await nodes.stop();
await rm(folder, { recursive: true, force: true });
const all = [...totals.values()];
const isClean = all.every((one) => one.lost + one.doubled + one.failedSearches + one.wrongSearches === 0);
process.exit(isClean ? 0 : 1);

async function oneRound(round: number): Promise<void> {
  for (const activity of activities) await activity.begin(round);
  const running = new AbortController();
  const workers = activities.flatMap((activity) => {
    const searching = new Loop(running.signal, pauseOfSearches, () => searchOnce(activity, round));
    const stepping = activity.step && new Loop(running.signal, pauseOfSteps, () => stepOnce(activity, round));
    return stepping ? [searching, stepping] : [searching];
  });
  await pause(500 + random() * longestCalm);
  const victim = Math.floor(random() * nodes.count);
  const other = (victim + 1) % nodes.count;
  const isManager = (await nodes.manager(other)) === victim;
  await nodes.kill(victim);
  for (const { name } of activities) {
    const total = totals.get(name)!;
    total.kills += 1;
    total.killsOfManager += Number(isManager);
  }
  const killed = performance.now();
  const goals = workers.map(({ done }) => done + 1);
  await pause(random() * longestAbsence);
  await nodes.restart(victim);
  const green = seconds(await nodes.green(victim));
  greenSeconds.push(green);
  // What was interrupted comes to its end.
  while (workers.some(({ done }, at) => done < goals[at]!)) {
    if (performance.now() - killed > mostMilliseconds) {
      tell(round, 'some activity does not go on');
      break;
    }
    await pause(100);
  }
  await pause(1000);
  running.abort();
  await Promise.all(workers.map(({ ended }) => ended));
  for (const activity of activities) await check(activity, round);
  say(
    `round ${round}: killed n${victim + 1}${isManager ? ', the manager' : ''}; ${green} s from its start to green`,
  );
}

async function searchOnce(activity: Activity, round: number): Promise<boolean> {
  const total = totals.get(activity.name)!;
  const start = performance.now();
  let isAnswered = false;
  try {
    const wrong = await activity.search();
    isAnswered = true;
    if (wrong !== undefined) {
      total.wrongSearches += 1;
      tell(round, `${activity.name}: wrong answer: ${wrong}`);
    }
  } catch (error) {
    total.failedSearches += 1;
    tell(round, `${activity.name}: failed search: ${messageOf(error)}`);
  }
  total.searches += 1;
  total.longestSearchSeconds = Math.max(total.longestSearchSeconds, seconds(performance.now() - start));
  return isAnswered;
}

async function stepOnce(activity: Activity, round: number): Promise<boolean> {
  const total = totals.get(activity.name)!;
  const start = performance.now();
  let isDone = false;
  try {
    await activity.step!();
    isDone = true;
  } catch (error) {
    total.failedCalls += 1;
    tell(round, `${activity.name}: failed call, repeated: ${messageOf(error)}`);
  }
  total.calls += 1;
  total.longestCallSeconds = Math.max(total.longestCallSeconds, seconds(performance.now() - start));
  return isDone;
}

async function check(activity: Activity, round: number): Promise<void> {
  const total = totals.get(activity.name)!;
  const { acknowledged, lost, doubled } = await activity.end();
  await nodes.green();
  const unequal = await nodes.unequalCopies(activity.name);
  total.acknowledged += acknowledged;
  total.lost += lost.length;
  total.doubled += doubled.length;
  total.unequalCopies += unequal.length;
  for (const [kind, names] of Object.entries({ lost, doubled, unequal })) {
    if (names.length > 0)
      tell(round, `${activity.name}: ${names.length} ${kind}: ${names.slice(0, 5).join(', ')}`);
  }
}

async function save(rounds: number): Promise<void> {
  const byActivity = Object.fromEntries([...totals].map(([name, one]) => [name.replace('kills-', ''), one]));
  if (options.only !== undefined) return console.log(JSON.stringify(byActivity, null, 1));
  await saveResult('cluster-kills', {
    ...{
      machine: machine(),
      seed,
      rounds,
      nodes: nodes.count,
      minutes: seconds(performance.now() - begin) / 60,
    },
    ...{ longestSecondsToGreen: Math.max(...greenSeconds), activities: byActivity, problems },
  });
}

function newTotals(): Totals {
  return {
    ...{ kills: 0, killsOfManager: 0, acknowledged: 0, lost: 0, doubled: 0, unequalCopies: 0 },
    ...{ searches: 0, failedSearches: 0, wrongSearches: 0, calls: 0, failedCalls: 0 },
    ...{ longestSearchSeconds: 0, longestCallSeconds: 0 },
  };
}

function tell(round: number, text: string): void {
  const problem = `round ${round}: ${text}`;
  console.log(problem);
  if (problems.length < 100) problems.push(problem.slice(0, 600));
}

function say(text: string): void {
  console.log(`${seconds(performance.now() - begin)} s: ${text}`);
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}

function messageOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
