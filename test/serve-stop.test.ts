/** `lincir serve` that is stopped while it has much to do. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { start } from './command-line.ts';
import { placeToServe } from './served.ts';

const isWindows = process.platform === 'win32'; // nothing there asks a process to stop

test('answers what it has begun when it is stopped, and ends in order', {
  skip: isWindows,
}, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-stop-'));
  context.after(() => rm(folder, { recursive: true }));
  const { uri, phi, ids, photos } = await placeToServe(folder, 8);
  const child = start(['serve', '--index', uri, '--phi', phi, '--port', '0', '--request-seconds', '60'], {
    folder,
  });
  context.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'close');
  let url: string | undefined;
  for await (const line of createInterface({ input: child.stderr! })) {
    url = /lincir serve: (\S+)/.exec(line)?.[1];
    if (url) break;
  }
  child.stderr!.resume();
  child.stdout!.resume();
  const search = async (at: number) => {
    const body = JSON.stringify({ images: [{ id: ids[at % 8] }], text: `number ${at}` });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(new URL('api/v1/search', url), { method: 'POST', headers, body });
    await answer.json();
    return answer.status;
  };
  const image = await readFile(join(photos, '0.png'));
  const upload = async () =>
    (
      await fetch(new URL('api/v1/uploads', url), {
        method: 'POST',
        body: new Blob([image], { type: 'image/png' }),
      })
    ).status;
  assert.equal(await search(0), 200);
  const busy = [...Array.from({ length: 40 }, (_, at) => search(at)), upload(), upload()];
  await Promise.any(busy);
  child.kill('SIGTERM');
  const outcomes = await Promise.allSettled(busy);
  await ended;
  assert.deepEqual([child.exitCode, child.signalCode], [0, null]);
  // Whatever was not taken any more was refused, or its connection was.
  const answered = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  assert.ok(answered.filter((status) => status === 200).length >= 2, `${answered}`);
  assert.deepEqual(
    answered.filter((status) => ![200, 201, 503].includes(status)),
    [],
  );
});
