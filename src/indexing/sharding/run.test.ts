/** One worker among others: when it is the last, and compacts the index. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { place, writePicture } from '../../../test/pictures.ts';
import { type Clip, loadClip } from '../../clip/index.ts';
import { backendOf, type SourceRecord } from '../../store/index.ts';
import { infoFor } from '../image-index.ts';
import { indexShard } from './run.ts';
import { thisWorker } from './worker.ts';

let clip: Clip;
let folder: string;
before(async () => {
  clip = await loadClip(join(import.meta.dirname, '../../../test/fixtures/tiny-clip'));
  folder = await mkdtemp(join(tmpdir(), 'lincir-worker-'));
});
after(async () => {
  await clip.dispose();
  await rm(folder, { recursive: true });
});

test('the last worker compacts, and does not wait for those of its machine that were killed', async () => {
  const { photos } = await place(folder, 3);
  const { backend, location } = await backendOf('memory:');
  const store = await backend.create(location, infoFor(clip));
  const shard = { number: 1, count: 1 };
  const events = async () => {
    const all = await Array.fromAsync(indexShard(store, clip, { images: [photos], shard }));
    return all.filter(({ kind }) => kind === 'maintain' || kind === 'left');
  };
  const { pid } = spawnSync(process.execPath, ['--version']);
  const killed = (await thisWorker()).replace(` ${process.pid} `, ` ${pid} `);
  const counts = { images: 0, broken: 0, began: Date.now(), updated: Date.now() };
  const of = (source: string, state: SourceRecord['state'], worker: string) =>
    store.recordSources([{ source, version: '1', state, ...counts, worker }]);
  await of('/a', 'running', killed);
  await of('/b', 'waiting', killed);
  assert.deepEqual(await events(), [{ kind: 'maintain' }]);
  assert.deepEqual(await events(), []); // all was done

  await of('/c', 'running', 'elsewhere 7 place 1');
  await of('/d', 'waiting', 'elsewhere 7 place 1');
  await writePicture(join(photos, 'new.png'), 9);
  assert.deepEqual(await events(), [{ kind: 'left', sources: 2 }]);
  // Killed after its images were written, and before it said so.
  await of('/c', 'done', 'elsewhere 7 place 1');
  await of('/d', 'done', 'elsewhere 7 place 1');
  for await (const records of store.sources()) {
    const own = records.filter(({ source }) => source.startsWith(photos));
    await store.recordSources(own.map((record) => ({ ...record, state: 'running', worker: killed })));
  }
  assert.deepEqual(await events(), [{ kind: 'maintain' }]);
});
