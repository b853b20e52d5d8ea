/** A reader of an index that is rebuilt while it reads. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { place, update } from '../../test/pictures.ts';
import { loadClip } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import { backendOf, type VectorStore } from '../store/index.ts';
import { infoFor, openIndex } from './image-index.ts';

test('two swaps in a row, each while it reads, are not noticed', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-swapped-'));
  const clip = await loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
  context.after(async () => {
    await clip.dispose();
    await rm(folder, { recursive: true });
  });
  const { photos, uri } = await place(folder, 2);
  const writer = await openIndex(uri, { access: 'write', clip });
  await update(writer, clip, { images: [photos] });
  const all = (await writer.find(join(photos, '0.png')))!;
  await writer.close();
  const { backend, location } = await backendOf(uri);
  const swap = async (created: string) => {
    const { store, publish } = await backend.replace(location, { ...infoFor(clip), created });
    await store.add([all]);
    await publish();
    await store.close();
  };
  const reader = await openIndex(uri);
  const swaps = ['2027-01-01', '2028-01-01'];
  const gone = new LincirError('not-found', { subject: uri, expected: 'a whole index', found: 'none' });
  const opened = await backend.open(location, 'read');
  const prototype: VectorStore = Object.getPrototypeOf(opened);
  await opened.close();
  const { count } = prototype;
  context.mock.method(prototype, 'count', async function (this: VectorStore) {
    const created = swaps.shift();
    if (created === undefined) return await count.call(this);
    await swap(created);
    throw gone;
  });
  assert.equal(await reader.hasFolder(photos), true);
  assert.equal(reader.info.created, '2028-01-01');
  context.mock.method(prototype, 'count', async () => {
    throw gone;
  });
  await assert.rejects(reader.hasFolder(photos), gone); // nothing has replaced it
  await reader.close();
});
