/** Many workers on one index, each killed at random moments until all are done: the index equals that of one undisturbed run. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lincir } from '../test/command-line.ts';
import { killWorkers } from '../test/workers/killed.ts';
import { contentsOf, differences, makeSources, model } from '../test/workers/world.ts';
import { machine, saveResult } from './results.ts';

const { values: given } = parseArgs({
  options: {
    /** Where the workers' index is made. It must not be there yet. Default: a folder of its own. */
    index: { type: 'string' },
    /** What the result is called, `workers-NAME`. */
    name: { type: 'string', default: 'lancedb' },
    workers: { type: 'string', default: '8' },
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    /** Images in each of the shards, and in the folder. */
    images: { type: 'string', default: '200' },
    shards: { type: 'string', default: '24' },
    /** Seconds after which a process is killed, at most. */
    longest: { type: 'string', default: '15' },
  },
});
const [workers, kills, seed, images, shards, longest] = (
  ['workers', 'kills', 'seed', 'images', 'shards', 'longest'] as const
).map((name) => Number(given[name])) as [number, number, number, number, number, number];

const folder = await mkdtemp(join(tmpdir(), 'lincir-workers-'));
const sources = await makeSources(folder, { shards, imagesPerShard: images, imagesInFolder: images });
const uri = given.index ?? join(folder, 'shared.lance');
const alone = join(folder, 'alone.lance');
const undisturbed = await lincir(['index', ...sources, '--index', alone, '--model', model], { folder });
if (undisturbed.code !== 0) throw new Error(undisturbed.stderr);
console.log(`in ${folder}: ${undisturbed.stderr.trim().split('\n').at(-1)}`);

const begin = performance.now();
const ends = await killWorkers({
  ...{ folder, workers, kills, longest: longest * 1000, seed },
  argumentsOf: (worker) => [
    ...['index', ...sources, '--index', uri, '--model', model, '--threads', '1'],
    ...['--shard', `${worker}/${workers}`],
  ],
});
const seconds = (performance.now() - begin) / 1000;
const many = await contentsOf(uri);
const found = differences(await contentsOf(alone), many);
const states = Object.groupBy(many.sources, ({ state }) => state);
const result = {
  ...{ workers, seed, kills: ends.killed, failed: ends.failed.length, seconds: Math.round(seconds) },
  ...{ images: many.images.size, broken: many.broken.size, sources: many.sources.length },
  ...{ done: states.done?.length ?? 0, differences: found.length },
};
console.log(JSON.stringify(result));
for (const line of [...ends.failed, ...found].slice(0, 10)) console.log(line);
await saveResult(`workers-${given.name}`, { machine: machine(), ...result });
if (ends.failed.length + found.length > 0) process.exitCode = 1;
else await rm(folder, { recursive: true });
