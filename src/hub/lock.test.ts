/** Locks between processes, taken, left behind and broken. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { exclusively } from './lock.ts';

async function lockPath(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-lock-'));
  context.after(() => rm(folder, { recursive: true }));
  return join(folder, 'locks', 'blob.lock');
}

test('one works at a time, and the lock is gone afterwards', async (context) => {
  const path = await lockPath(context);
  let inside = 0;
  const work = async () => {
    assert.equal(++inside, 1);
    await new Promise((done) => setTimeout(done, 20));
    inside--;
  };
  await Promise.all([1, 2, 3].map(() => exclusively(path, undefined, work)));
  await assert.rejects(
    exclusively(path, undefined, () => Promise.reject(new Error('failed'))),
    /failed/,
  );
  assert.deepEqual(await readdir(join(path, '..')), []);
});

test('a lock left by a process that is gone, or grown old, is broken', async (context) => {
  const path = await lockPath(context);
  await exclusively(path, undefined, async () => {});
  const gone = spawnSync(process.execPath, ['--version']).pid;
  await writeFile(path, `${gone} ${hostname()}`);
  assert.equal(await exclusively(path, AbortSignal.timeout(4000), async () => 'ran'), 'ran');

  await writeFile(path, '1 another-machine');
  await utimes(path, new Date(0), new Date(0));
  assert.equal(await exclusively(path, undefined, async () => 'ran'), 'ran');
});

test('waiting for a lock in use can be ended', async (context) => {
  const path = await lockPath(context);
  await exclusively(path, undefined, async () => {});
  for (const owner of [`${process.pid} ${hostname()}`, '1 another-machine', '']) {
    await writeFile(path, owner);
    await assert.rejects(
      exclusively(path, AbortSignal.timeout(50), async () => {}),
      { name: 'AbortError' },
    );
  }
});
