/** `lincir index --watch` as a user meets it: real processes on a tiny model. */

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { lincir, start } from './command-line.ts';
import { writePicture } from './pictures.ts';

const model = join(import.meta.dirname, 'fixtures/tiny-clip');
const main = join(import.meta.dirname, '../src/cli/main.ts');
const isWindows = process.platform === 'win32';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-watch-command-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
function started(child: ChildProcess): ChildProcess {
  children.push(child);
  return child;
}

let places = 0;
async function place(count: number): Promise<{ photos: string; args: string[]; index: string }> {
  places += 1;
  const photos = join(folder, `photos-${places}`);
  const index = `${places}.lance`;
  await mkdir(photos);
  for (let number = 0; number < count; number += 1) await writePicture(join(photos, `${number}.png`), number);
  return { photos, index, args: ['index', photos, '--index', index, '--model', model, '--threads', '1'] };
}

/** Reads lines of a process until one matches. */
function linesOf(stream: NodeJS.ReadableStream) {
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
  return async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const { done, value } = await lines.next();
      if (done) assert.fail(`no line with ${pattern}`);
      if (pattern.test(value)) return value;
    }
  };
}

test('tells a person what changes, and ends in order', { skip: isWindows }, async () => {
  const { photos, args } = await place(3);
  const child = started(start([...args, '--watch'], { folder }));
  const line = linesOf(child.stderr!);
  await line(/^3 images \(3 new\).*→/);
  await line(/^watching for changes; Ctrl-C ends it$/);
  await writePicture(join(photos, 'new.png'), 10);
  await line(/^4 images \(1 new, 3 unchanged\)/);
  await writeFile(join(photos, 'broken.png'), 'no image');
  await line(/^broken: .*broken\.png: /);
  await rename(photos, `${photos}-away`);
  await line(/^warning: .*: expected most of the images .*give --remove-missing$/);
  await line(/^looking again in/);
  await rename(`${photos}-away`, photos);
  await line(/^all is well again$/);
  child.kill('SIGTERM');
  await once(child, 'close');
  assert.equal(child.exitCode, 0);
});

test('tells a program everything, a line of JSON each', { skip: isWindows }, async () => {
  const { photos, args } = await place(3);
  const child = started(start([...args, '--watch', '--json', '--poll', '1'], { folder }));
  const line = linesOf(child.stdout!);
  const end = async () => JSON.parse(await line(/"kind":"end"/)).summary;
  assert.equal((await end()).added, 3);
  const { folders, problems } = JSON.parse(await line(/"kind":"waiting"/));
  assert.ok(folders > 0);
  assert.deepEqual(problems, []);
  assert.equal((await end()).unchanged, 3);
  await rename(photos, `${photos}-away`);
  const away = JSON.parse(await line(/"problems":\[\{/)).problems[0];
  assert.equal(away.code, 'not-found');
  assert.match(away.found, /^0 that can be read/);
  child.kill('SIGINT');
  await once(child, 'close');
});

test('refuses what is done once', async () => {
  const { args } = await place(0);
  for (const [option, ...values] of [
    ['--remove', 'x'],
    ['--remove-missing'],
    ['--stats'],
    ['--list', '-'],
  ] as const) {
    const { code, stderr } = await lincir([...args, '--watch', option, ...values], { folder });
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      new RegExp(`^lincir: --watch: expected .*found ${[option, ...values].join(' ').slice(0, 8)}`),
    );
  }
  const { stderr } = await lincir([...args, '--poll', '5'], { folder });
  assert.match(stderr, /--poll: expected --watch as well/);
});

test('killed during an update, it goes on when it is started again', { skip: isWindows }, async () => {
  const { photos, args, index } = await place(2);
  const { photos: many } = await place(300);
  const child = started(start([...args, '--watch', '--json'], { folder }));
  const line = linesOf(child.stdout!);
  await line(/"kind":"waiting"/);
  await cp(many, join(photos, 'many'), { recursive: true });
  await line(/"kind":"(progress|commit)"/);
  child.kill('SIGKILL');
  await once(child, 'close');
  const again = started(start([...args, '--watch', '--json'], { folder }));
  await linesOf(again.stdout!)(/"kind":"waiting"/);
  again.kill('SIGTERM');
  await once(again, 'close');
  const { stdout } = await lincir(['index', '--stats', '--index', index, '--json'], { folder });
  const { images, broken } = JSON.parse(stdout);
  assert.deepEqual([images, broken], [302, []]);
});

test('with too few watches, it says so and looks from time to time', { skip: noNamespace() }, async () => {
  const { photos, args } = await place(3);
  for (const name of ['a', 'b', 'c']) await mkdir(join(photos, name));
  const limited = 'echo 2 > /proc/sys/user/max_inotify_watches; exec "$@"';
  const command = [process.execPath, main, ...args, '--watch', '--poll', '1'];
  const shell = ['-U', '-r', 'sh', '-c', limited, 'sh', ...command];
  const child = started(spawn('unshare', shell, { cwd: folder }));
  const line = linesOf(child.stderr!);
  await line(/^warning: .*no room for a further watch \(fs\.inotify\.max_user_watches\); raise it/);
  await line(/^looking again in/);
  await writePicture(join(photos, 'c/new.png'), 20);
  await line(/^4 images \(1 new, 3 unchanged\)/);
  child.kill('SIGTERM');
  await once(child, 'close');
});

test('a server keeps its index up to date, in another process', { skip: isWindows }, async () => {
  const { photos, args, index } = await place(3);
  await lincir(args, { folder });
  const wrong = await lincir(['serve', '--index', index, '--watch'], { folder });
  assert.match(wrong.stderr, /^lincir: --watch: expected --folder as well/);
  const given = ['--index', `mine=${index}`, '--watch', '--folder', `mine=${photos}`, '--port', '0'];
  const child = started(start(['serve', ...given], { folder }));
  const line = linesOf(child.stderr!);
  const url = (await line(/^lincir serve: /)).split(' ').at(-1);
  await line(/^watching the folders of mine$/);
  await writePicture(join(photos, 'new.png'), 30);
  await line(/^4 images \(1 new, 3 unchanged\)/);
  const images = async () =>
    ((await (await fetch(`${url}api/v1/indexes/mine`)).json()) as { images: number }).images;
  while ((await images()) !== 4) await pause(100);
  child.kill('SIGTERM');
  await once(child, 'close');
  assert.equal(child.exitCode, 0);
});

/** Whether a process can have limits of its own. */
function noNamespace(): string | false {
  try {
    execFileSync('unshare', ['-U', '-r', 'sh', '-c', 'echo 2 > /proc/sys/user/max_inotify_watches'], {
      stdio: 'ignore',
    });
    return false;
  } catch {
    return 'needs user namespaces';
  }
}
