/** Files of other contents whose size and time were kept: seen by the time when the system saw a change, or by their contents. */

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { place as placeIn, update as updateWith } from '../../test/pictures.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { type ImageIndex, openIndex } from './image-index.ts';
import type { UpdateOptions, UpdateSummary } from './update.ts';

let clip: Clip;
let folder: string;
before(async () => {
  clip = await loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
  folder = await mkdtemp(join(tmpdir(), 'lincir-kept-times-'));
});
after(async () => {
  await clip.dispose();
  await rm(folder, { recursive: true, force: true });
});

const update = (index: ImageIndex, options: UpdateOptions) => updateWith(index, clip, options);

/** Puts each image's contents in the other's file, with its time; both have one size. */
async function swapped(index: ImageIndex, options: UpdateOptions): Promise<Partial<UpdateSummary>> {
  const [photos] = options.images!;
  const paths = ['0.png', '2.png'].map((name) => join(photos!, name));
  const contents = await Promise.all(paths.map((path) => readFile(path)));
  await writeFile(paths[0]!, contents[1]!);
  await writeFile(paths[1]!, contents[0]!);
  for (const path of paths) await utimes(path, 1_700_000_000, 1_700_000_000);
  return await update(index, options);
}
async function padded(photos: string): Promise<void> {
  for (const name of ['0.png', '2.png']) {
    const bytes = await readFile(join(photos, name));
    await writeFile(join(photos, name), Buffer.concat([bytes, Buffer.alloc(5000 - bytes.length)]));
    await utimes(join(photos, name), 1_700_000_000, 1_700_000_000);
  }
}

test('a file is seen to have changed, or not, as is asked', async () => {
  const { photos } = await placeIn(folder, 5);
  await padded(photos);
  const index = await openIndex('memory:', { access: 'write', clip });
  await update(index, { images: [photos] });
  const images = [photos];
  assert.deepEqual(await swapped(index, { images }), { changed: 2, unchanged: 3, encoded: 2 });
  assert.deepEqual(await swapped(index, { images, compare: 'modified' }), { unchanged: 5 });
  assert.deepEqual(await update(index, { images, compare: 'contents' }), {
    ...{ changed: 2, unchanged: 3, encoded: 2 },
  });
  assert.deepEqual(await update(index, { images }), { unchanged: 5 });
  // Copied back as a whole, with times: read, and found to be the same.
  await cp(photos, `${photos}-backup`, { recursive: true, preserveTimestamps: true });
  await rm(photos, { recursive: true });
  await cp(`${photos}-backup`, photos, { recursive: true, preserveTimestamps: true });
  assert.deepEqual(await update(index, { images }), { unchanged: 5 });
  assert.deepEqual(await update(index, { images }), { unchanged: 5 });
  await index.close();
});

test('it is seen in an index of an earlier version from the first run on', async () => {
  const { photos, uri } = await placeIn(folder, 5);
  await padded(photos);
  const images = [photos];
  let index = await openIndex(uri, { access: 'write', clip });
  await update(index, { images });
  await index.close();
  const { connect } = await import('@lancedb/lancedb');
  const database = await connect(uri);
  const table = await database.openTable('pictures-1');
  await table.dropColumns(['statusChanged']);
  table.close();
  database.close();

  const reader = await openIndex(uri, { clip });
  assert.ok(await reader.find(join(photos, '0.png')));
  await reader.close();
  index = await openIndex(uri, { access: 'write', clip });
  assert.deepEqual(await update(index, { images }), { unchanged: 5 });
  assert.deepEqual(await swapped(index, { images }), { changed: 2, unchanged: 3, encoded: 2 });
  await index.close();
});
