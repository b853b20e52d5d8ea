/** Every command that writes, ended in any way: nothing is lost or doubled, the same bytes come in the end, and no litter stays. */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, statfs, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { readSafetensorsHeader, sequence } from '../src/core/index.ts';
import { readingFile } from '../src/files/index.ts';
import { lincir, start } from './command-line.ts';
import { killedCommands } from './kills/commands.ts';
import {
  type CalmRun,
  calmRun,
  differences,
  litterIn,
  newFolder,
  roundOfKills,
  toEnd,
  working,
} from './kills/rounds.ts';
import { makeWorld, model } from './kills/world.ts';

const run = promisify(execFile);
const main = join(import.meta.dirname, '../src/cli/main.ts');
const isWindows = process.platform === 'win32';

let world: string;
before(async () => {
  world = await mkdtemp(join(tmpdir(), 'lincir-ends-'));
  await makeWorld(world);
});
after(() => rm(world, { recursive: true }));

/** Runs a command to its end after trouble, and compares what is left with a calm run's. */
async function expectWhole({ command, result }: CalmRun, folder: string): Promise<void> {
  await toEnd(command, folder);
  assert.deepEqual(differences(result, await command.result(folder)), [], `${command.name} differs`);
  assert.deepEqual(await litterIn(folder), [], `${command.name} leaves litter`);
}

/** One line for a person, without a stack; of libraries' own lines and the progress, nothing. */
function expectTold(stderr: string, pattern: RegExp): void {
  assert.match(stderr, pattern);
  assert.doesNotMatch(stderr, /\n\s+at |Error:|panicked/);
}

for (const [at, command] of killedCommands.entries()) {
  describe(command.name, { concurrency: 2 }, () => {
    let own: CalmRun;
    before(async () => {
      own = await calmRun(world, command);
    });
    const only = async (what: string) => {
      const folder = await newFolder(world, command, what);
      return { folder, args: (await command.next(folder))! };
    };

    test('killed at random moments', async (context) => {
      const random = sequence({ seed: 6, purpose: 'order', moment: at, row: 0 });
      const { kills, ...found } = await roundOfKills(world, own, 'killed', random, 3);
      context.diagnostic(`${kills} kills`);
      assert.deepEqual(found, { lost: [], different: [], litter: [] });
    });

    test('with two processes at once', async () => {
      const { folder, args } = await only('two');
      const both = await Promise.all([lincir(args, { folder }), lincir(args, { folder })]);
      const refused = both.filter(({ code }) => code !== 0);
      assert.ok(refused.length < 2, both.map(({ stderr }) => stderr).join('\n'));
      for (const { stderr } of refused)
        expectTold(stderr, /no other process works in|found a run|without results/);
      await expectWhole(own, folder);
    });

    test('with too few file handles', { skip: isWindows }, async (context) => {
      const { folder, args } = await only('handles');
      const shell = ['-c', 'ulimit -n 40; exec "$@"', 'sh', process.execPath, main, ...args];
      const child = spawn('sh', shell, { cwd: folder });
      const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')]);
      context.diagnostic(`exit ${child.exitCode}, ${lastLine(stderr)}`);
      if (child.exitCode !== 0) expectTold(stderr, /too many open files/);
      await expectWhole(own, folder);
    });

    test('with a folder that vanishes', { skip: isWindows }, async (context) => {
      const { folder, args } = await only('vanishing');
      const child = start(args, { folder });
      const closed = once(child, 'close');
      const stderr = text(child.stderr!);
      await working(child, own.milliseconds * 0.6);
      // As if its disk were gone: nothing is there, and it may come again.
      const away = `${folder}-away`;
      await mkdir(away);
      for (const entry of await readdir(folder)) await rename(join(folder, entry), join(away, entry));
      await closed;
      context.diagnostic(`exit ${child.exitCode}, ${lastLine(await stderr)}`);
      if (child.exitCode !== 0) expectTold(await stderr, /lincir: /);
      await rm(folder, { recursive: true });
      await rename(away, folder);
      await expectWhole(own, folder);
    });

    test('with a full disk', async (context) => {
      const disk = await mkdtemp(join(world, 'disk-'));
      const mount = ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk];
      if ((await run('mount', mount).catch(() => undefined)) === undefined)
        return context.skip('needs the right to mount');
      try {
        for (const entry of await readdir(world))
          if (!entry.includes('-')) await symlink(join(world, entry), join(disk, entry));
        const folder = await newFolder(disk, command, 'full');
        const { bsize, blocks, bfree } = await statfs(disk);
        const room = (part: number) => `remount,size=${Math.ceil(((blocks - bfree) * bsize) / 1024) + part}k`;
        await run('mount', ['-o', room(60), disk]);
        const { code, stderr } = await lincir((await command.next(folder))!, { folder });
        context.diagnostic(`exit ${code}, ${lastLine(stderr)}`);
        if (code !== 0) expectTold(stderr, /a full disk/);
        await run('mount', ['-o', 'remount,size=64m', disk]);
        await expectWhole(own, folder);
      } finally {
        await run('umount', [disk]);
      }
    });
  });
}

test('a signal ends training after its step, saved, with its own exit code; a second one at once', async () => {
  const folder = await mkdtemp(join(world, 'signals-'));
  const given = ['--model', model, '--threads', '1', '--captions', '../captions.txt', '--batch', '8'];
  const stepIn = async () => {
    const file = join(folder, 'out/state.safetensors');
    return Number((await readingFile(file, readSafetensorsHeader)).metadata.step);
  };
  const interrupted = async (args: readonly string[], signals: NodeJS.Signals[]) => {
    const child = start(['train', ...args, '--json'], { folder });
    const [stderr, closed] = [text(child.stderr!), once(child, 'close')];
    let steps = 0;
    for await (const chunk of child.stdout!) {
      steps += String(chunk).split('"kind":"step"').length - 1;
      if (steps >= 5) for (const signal of signals.splice(0)) child.kill(signal);
    }
    await closed;
    return { code: child.exitCode ?? child.signalCode, stderr: await stderr };
  };
  const first = await interrupted([...given, '--steps', '100000', '--out', 'out'], ['SIGTERM']);
  assert.equal(first.code, 143, first.stderr);
  expectTold(first.stderr, /interrupted/);
  const saved = await stepIn();
  assert.ok(saved >= 5);
  const second = await interrupted(['--resume', 'out'], ['SIGHUP']);
  assert.equal(second.code, 129, second.stderr);
  assert.ok((await stepIn()) >= saved + 5);
  const third = await interrupted(['--resume', 'out'], ['SIGINT', 'SIGINT']);
  assert.ok(['SIGINT', 130].includes(third.code!), `${third.code}`);
  assert.deepEqual(await litterIn(join(folder, 'out')), []);
});

test('two evaluations with one cache both end well', async () => {
  const folder = await mkdtemp(join(world, 'cache-'));
  const args = [
    'eval',
    'custom',
    '--data',
    '../benchmark',
    '--model',
    model,
    '--methods',
    'image',
    '--cache',
    'cache',
  ];
  const both = await Promise.all(['a', 'b'].map((out) => lincir([...args, '--out', out], { folder })));
  const figures = async (out: string) =>
    JSON.parse(await readFile(join(folder, out, 'results.json'), 'utf8')).methods[0].figures;
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
    both[0]!.stderr + both[1]!.stderr,
  );
  assert.deepEqual(await figures('a'), await figures('b'));
  assert.deepEqual(await litterIn(folder), []);
});

function lastLine(stderr: string): string {
  return stderr.trim().split('\n').at(-1)!.slice(0, 200);
}
