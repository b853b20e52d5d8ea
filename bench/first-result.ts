/**
 * From the start of a process to its results: `lincir search` with an image and words in an index of 10,000
 * vectors, all files in the system's cache: `node bench/first-result.ts MODEL PHI PICTURE [ROUNDS]`.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { loadClip } from '../src/clip/index.ts';
import { openIndex } from '../src/indexing/index.ts';
import { backendOf } from '../src/store/index.ts';
import { clusteredVectors, picturesOf } from './clustered-vectors.ts';
import { machine, rounded, saveResult } from './results.ts';
import { median, timed } from './turns.ts';

/** Milliseconds of one process. */
interface Run {
  /** From its start to the first byte of its output. */
  readonly firstByte: number;
  readonly exit: number;
  /** As the command tells them. */
  readonly stages: Readonly<Record<string, number>>;
  /** Until the first byte, outside of these: the start of Node, and imports. */
  readonly rest: number;
}

const [model, phi, picture, rounds = '7'] = process.argv.slice(2);
if (model === undefined || phi === undefined || picture === undefined) {
  throw new Error('usage: node bench/first-result.ts MODEL PHI PICTURE [ROUNDS]');
}
const count = 10_000;
const scratch = await mkdtemp(join(tmpdir(), 'lincir-bench-'));
const index = join(scratch, 'index.lance');
const { name, dimensions } = await makeIndex();
const command = [
  ...[join(import.meta.dirname, '../src/cli/main.ts'), 'search', '--index', index, '--model', model],
  ...['--phi', phi, '--image', picture, '--text', 'is red', '--json'],
];

await search(); // Brings all files into the system's cache.
const runs: Run[] = [];
const node: number[] = [];
for (let round = 0; round < Number(rounds); round += 1) {
  runs.push(await search());
  node.push(1000 * (await timed(async () => await once(spawn(process.execPath, ['--eval', '']), 'exit'))));
}
await rm(scratch, { recursive: true });

const of = (value: (run: Run) => number) => rounded(median(runs.map(value)));
const result = {
  secondsToFirstByte: of(({ firstByte }) => firstByte / 1000),
  secondsToExit: of(({ exit }) => exit / 1000),
  milliseconds: {
    ...Object.fromEntries(
      Object.keys(runs[0]!.stages).map((stage) => [stage, of(({ stages }) => stages[stage]!)]),
    ),
    rest: of(({ rest }) => rest),
    'of it an empty Node': rounded(median(node)),
  },
};
console.log(JSON.stringify(result, null, 1));
await saveResult('first-result', {
  machine: machine(),
  ...{ model: name, dimensions, vectors: count, fileCache: 'warm' },
  ...result,
  runs,
});

async function search(): Promise<Run> {
  const begin = performance.now();
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const first = once(child.stdout, 'readable').then(() => performance.now() - begin);
  const exited = once(child, 'exit').then(([code]) => ({ code, time: performance.now() - begin }));
  const output = await text(child.stdout);
  const { code, time: exit } = await exited;
  if (code !== 0) throw new Error(`lincir search ended with ${code}`);
  const { results, timings: stages }: { results: unknown[]; timings: Record<string, number> } =
    JSON.parse(output);
  if (results.length === 0) throw new Error('lincir search found nothing');
  const firstByte = await first;
  const known = Object.values(stages).reduce((sum, time) => sum + time, 0);
  return { firstByte, exit, stages, rest: firstByte - known };
}

/** An index for the model. Returns the model's name and its dimensions. */
async function makeIndex() {
  const clip = await loadClip(model!);
  await (await openIndex(index, { access: 'write', clip })).close();
  const { backend, location } = await backendOf(index);
  const store = await backend.open(location, 'write');
  const { dimensions } = store.info;
  const source = await clusteredVectors(dimensions);
  await store.add(picturesOf(await source.draw(1, 0, count), 0, dimensions));
  await store.maintain();
  await source.dispose();
  await store.close();
  return { name: clip.id ?? `${clip.textConfig.width} wide`, dimensions };
}
