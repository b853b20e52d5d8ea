/** `npm run soak`: a thousand kills over all commands at random moments, to the end; anything lost, doubled or left is told. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sequence } from '../../src/core/index.ts';
import { killedCommands } from './commands.ts';
import { type CalmRun, calmRun, roundOfKills } from './rounds.ts';
import { makeWorld } from './world.ts';

const { values: given } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    jobs: { type: 'string', default: '2' },
    /** A JSON file for the figures. */
    out: { type: 'string' },
  },
});
const killsPerRound = 10;
const goal = Number(given.kills);
const seed = Number(given.seed);
const begin = performance.now();
const minutes = () => ((performance.now() - begin) / 60_000).toFixed(1);

const world = await mkdtemp(join(tmpdir(), 'lincir-soak-'));
console.log(`seed ${seed}, in ${world}`);
await makeWorld(world);
const calm: CalmRun[] = [];
for (const command of killedCommands) calm.push(await calmRun(world, command));

const totals = { kills: 0, rounds: 0, lost: 0, different: 0, litter: 0, errors: 0 };
const byCommand = new Map(killedCommands.map(({ name }) => [name, 0]));
let number = 0;
async function work(): Promise<void> {
  while (totals.kills < goal) {
    const round = number++;
    const run = calm[round % calm.length]!;
    const { name } = run.command;
    const random = sequence({ seed, purpose: 'order', moment: round, row: 0 });
    try {
      const { kills, ...found } = await roundOfKills(world, run, `${round}`, random, killsPerRound);
      totals.kills += kills;
      byCommand.set(name, byCommand.get(name)! + kills);
      for (const [kind, names] of Object.entries(found) as [keyof typeof found, readonly string[]][]) {
        totals[kind] += names.length;
        if (names.length > 0)
          console.log(`round ${round}, ${name}: ${kind}: ${names.slice(0, 5).join(', ')}`);
      }
    } catch (error) {
      totals.errors += 1;
      console.log(`round ${round}, ${name}: ${error instanceof Error ? error.message : error}`);
    }
    totals.rounds += 1;
    if (totals.rounds % 10 === 0)
      console.log(`${totals.kills} kills in ${totals.rounds} rounds, ${minutes()} min`);
  }
}
await Promise.all(Array.from({ length: Number(given.jobs) }, work));

const summary = { seed, ...totals, byCommand: Object.fromEntries(byCommand), minutes: Number(minutes()) };
console.log(JSON.stringify(summary));
if (given.out) await writeFile(given.out, `${JSON.stringify(summary, undefined, 2)}\n`);
if (totals.lost + totals.different + totals.litter + totals.errors > 0) process.exitCode = 1;
else await rm(world, { recursive: true });
