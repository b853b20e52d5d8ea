/** Locks between processes: taken, refused, left behind, broken, and raced for. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { LincirError } from '../core/index.ts';
import { aloneIn, exclusively, takeLock } from './lock.ts';

async function runFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-lock-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** The file of a lock's owner. */
async function ownerFile(path: string): Promise<string> {
  const [name] = await readdir(path);
  return join(path, name!);
}

/** Makes a lock of another owner. */
async function placeLock(path: string, owner: string): Promise<string> {
  await mkdir(path, { recursive: true });
  const file = join(path, 'owner-of-before');
  await writeFile(file, owner);
  return file;
}

function refusal(...mentions: readonly (string | number)[]) {
  return (error: unknown) => {
    assert.ok(error instanceof LincirError && error.code === 'io', String(error));
    for (const mention of mentions) assert.ok(error.message.includes(`${mention}`), error.message);
    return true;
  };
}

/**
 * A process that, told a path and a moment, tries to take the lock there and tells whether it did; told to release,
 * whether it was still its own, and releases it.
 */
const contender = `
  const { takeLock } = await import(${JSON.stringify(import.meta.resolve('./lock.ts'))});
  let lock;
  process.on('message', async ({ path, moment }) => {
    if (path === undefined) {
      const isOurs = (await lock?.isOurs()) ?? false;
      await lock?.release();
      return process.send(isOurs);
    }
    while (Date.now() < moment);
    lock = await takeLock(path).catch((error) => {
      if (error.code !== 'io') throw error;
    });
    process.send(lock !== undefined);
  });
  process.send('ready');
`;

async function startContender(context: TestContext): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', contender], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  context.after(() => child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}

async function answer(child: ChildProcess, message: object): Promise<unknown> {
  const [[told]] = await Promise.all([once(child, 'message'), child.send(message)]);
  return told;
}

test('one works at a time, and the lock is gone afterwards', async (context) => {
  const path = join(await runFolder(context), 'locks', 'blob.lock');
  let inside = 0;
  const work = async () => {
    assert.equal(++inside, 1);
    await pause(20);
    inside--;
  };
  await Promise.all([1, 2, 3].map(() => exclusively(path, undefined, work)));
  await assert.rejects(
    exclusively(path, undefined, () => Promise.reject(new Error('failed'))),
    /failed/,
  );
  assert.deepEqual(await readdir(join(path, '..')), []);
});

test('waiting for a lock in use can be ended', async (context) => {
  const path = join(await runFolder(context), 'lock');
  for (const owner of ['1\n\nanother-machine', '']) {
    const file = await placeLock(path, owner);
    await assert.rejects(
      exclusively(path, AbortSignal.timeout(50), async () => {}),
      { name: 'AbortError' },
    );
    await rm(file);
  }
});

test('one works in a folder, another is refused, and an empty folder goes again', async (context) => {
  const folder = join(await runFolder(context), 'some/output');
  await aloneIn(folder, async () => {
    await assert.rejects(
      aloneIn(folder, async () => {}),
      refusal(folder, 'no other process works in'),
    );
    await writeFile(join(folder, 'file'), '');
  });
  assert.deepEqual(await readdir(folder), ['file']);
  await rm(join(folder, 'file'));
  await assert.rejects(
    aloneIn(folder, () => Promise.reject(new Error('failed'))),
    /failed/,
  );
  assert.deepEqual(await readdir(join(folder, '..')), []);
});

test('a second owner is refused by the names of folder, process and host', async (context) => {
  const folder = await runFolder(context);
  const path = join(folder, 'lock');
  const lock = await takeLock(path);
  await assert.rejects(takeLock(path), refusal(folder, `process ${process.pid} on`, hostname()));
  assert.ok(await lock.isOurs());
  await lock.release();
  assert.deepEqual(await readdir(folder), []);

  await placeLock(path, '');
  await assert.rejects(takeLock(path), refusal(folder, path));
  await assert.rejects(takeLock(join(folder, 'missing', 'lock')), refusal('missing'));
});

test('the lock of a process that was killed is free at once', async (context) => {
  const path = join(await runFolder(context), 'lock');
  const child = await startContender(context);
  assert.equal(await answer(child, { path, moment: 0 }), true);
  await assert.rejects(takeLock(path), refusal(`process ${child.pid} on`));
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = await takeLock(path);
  assert.ok(await lock.isOurs());
  await lock.release();
});

test('a process is told from another one with its id, where the system tells', async (context) => {
  const path = join(await runFolder(context), 'lock');
  const lock = await takeLock(path);
  const [pid, birth, place] = (await readFile(await ownerFile(path), 'utf8')).split('\n');
  await lock.release();
  if (birth === '') return context.skip('no /proc here');

  // Alive: no age makes it stale.
  const file = await placeLock(path, [pid, birth, place].join('\n'));
  await utimes(file, 0, 0);
  await assert.rejects(takeLock(path), refusal(`process ${pid} on`));
  // Its id was given to a later one.
  await writeFile(file, [pid, `${Number(birth) - 1}`, place].join('\n'));
  await (await takeLock(path)).release();
  // The same in another container cannot be judged.
  await placeLock(path, [pid, `${Number(birth) - 1}`, `${place}0`].join('\n'));
  await assert.rejects(takeLock(path), refusal(`process ${pid} on`));
  await rm(path, { recursive: true });

  // Ended, but its parent has not asked how.
  const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60']);
  context.after(() => parent.kill());
  const [zombie] = await once(parent.stdout.setEncoding('utf8'), 'data');
  const status = `/proc/${Number(zombie)}/stat`;
  while (!/\) Z /.test(await readFile(status, 'utf8'))) await pause(5);
  await placeLock(path, [Number(zombie), '', place].join('\n'));
  await (await takeLock(path)).release();
});

test('an owner elsewhere loses the lock by silence alone, learns so, and does the next one no harm', async (context) => {
  const path = join(await runFolder(context), 'lock');
  const elsewhere = await placeLock(path, '1\n\nanother-machine');
  await assert.rejects(takeLock(path), refusal('process 1 on "another-machine"'));
  await utimes(elsewhere, 0, 0);

  const beating = await takeLock(path, 50);
  await utimes(await ownerFile(path), 0, 0);
  while ((await stat(await ownerFile(path))).mtimeMs === 0) await pause(5);
  await beating.release();

  const first = await takeLock(path);
  const file = await ownerFile(path);
  await writeFile(file, '1\n\nanother-machine');
  await utimes(file, 0, 0);
  const second = await takeLock(path);
  assert.equal(await first.isOurs(), false);
  await first.release();
  assert.ok(await second.isOurs());
  await second.release();
  assert.equal(await second.isOurs(), false);
});

test('of many processes that find a lock left behind, exactly one gets it', async (context) => {
  const folder = await runFolder(context);
  const children = await Promise.all(Array.from({ length: 6 }, () => startContender(context)));
  for (let round = 0; round < 25; round += 1) {
    const path = join(folder, `lock-${round}`);
    await utimes(await placeLock(path, '1\n\nanother-machine'), 0, 0);
    const moment = Date.now() + 10;
    const won = await Promise.all(children.map((child) => answer(child, { path, moment })));
    assert.equal(won.filter((taken) => taken).length, 1, `round ${round}: ${won}`);
    assert.deepEqual(await Promise.all(children.map((child) => answer(child, {}))), won);
  }
  assert.deepEqual(await readdir(folder), []);
});
