/** Indexing in a process of its own: the same events and errors, and an end in order. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { place, writePicture } from '../../test/pictures.ts';
import { openIndex } from './image-index.ts';
import { indexInProcess } from './indexing-process.ts';

const model = join(import.meta.dirname, '../../test/fixtures/tiny-clip');
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-process-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('an update, its errors, and a watch until it is stopped', async () => {
  const { photos, uri } = await place(folder, 5);
  const options = { images: [photos], quietMilliseconds: 100 };
  const events = await Array.fromAsync(indexInProcess({ uri, model, options }));
  const end = events.at(-1);
  assert.ok(end?.kind === 'end' && end.summary.added === 5);

  const nowhere = { images: [join(folder, 'nowhere')] };
  const expected = 'something that can be read';
  await assert.rejects(Array.fromAsync(indexInProcess({ uri, options: nowhere })), (error: never) => {
    const { code, problem, name } = error as { code: string; problem: { expected: string }; name: string };
    assert.deepEqual([name, code, problem.expected], ['LincirError', 'not-found', expected]);
    return true;
  });

  const stop = new AbortController();
  let waits = 0;
  let added = 0;
  const reason = new Error('enough');
  await assert.rejects(async () => {
    for await (const event of indexInProcess({ uri, options, watch: true }, stop.signal)) {
      if (event.kind === 'end') added += event.summary.added;
      if (event.kind !== 'waiting') continue;
      waits += 1;
      if (waits === 1) await writePicture(join(photos, 'new.png'), 99);
      if (added === 1) stop.abort(reason);
    }
  }, reason);
  const index = await openIndex(uri, { access: 'write' }); // the process has given it back
  assert.equal((await index.statistics()).images, 6);
  await index.close();
});

test('stopped amid work, it keeps what is done', async () => {
  const { photos, uri } = await place(folder, 300);
  const stop = new AbortController();
  await assert.rejects(
    async () => {
      for await (const event of indexInProcess({ uri, model, options: { images: [photos] } }, stop.signal)) {
        if ('done' in event && event.done >= 150) stop.abort();
      }
    },
    { name: 'AbortError' },
  );
  const index = await openIndex(uri, { access: 'write' });
  const { images } = await index.statistics();
  await index.close();
  assert.ok(images > 0 && images <= 300, `${images}`);
});
