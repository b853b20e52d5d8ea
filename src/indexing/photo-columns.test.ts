/** Columns of what images' files say: filtered by, shown, overruled by a user's own, and filled in where they were not there. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { place as placeIn, update as updateWith } from '../../test/pictures.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { compose, type Query } from '../composition/index.ts';
import { openMetadata } from '../pictures/index.ts';
import { reservedColumns } from '../store/index.ts';
import { type ImageIndex, openIndex } from './image-index.ts';
import { reindex } from './reindex.ts';

let clip: Clip;
let folder: string;
let query: Query;
before(async () => {
  clip = await loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
  folder = await mkdtemp(join(tmpdir(), 'lincir-photos-'));
  query = await compose({ clip, text: 'red' });
});
after(async () => {
  await clip.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** A photo that lies on its side, taken at a time by a camera. */
async function writePhoto(path: string, time: string, model: string): Promise<void> {
  const photo = sharp({
    create: { width: 30, height: 20, channels: 3, background: `#${time.slice(-2)}4080` },
  });
  const exif = { IFD0: { Make: 'Canon', Model: model, Orientation: '6' }, IFD2: { DateTimeOriginal: time } };
  await writeFile(
    path,
    await photo.withExif(exif).withMetadata({ orientation: 6 }).withExif(exif).jpeg().toBuffer(),
  );
}

async function photosIn(index: 'memory' | 'disk') {
  const { photos, uri } = await placeIn(folder, 1);
  await writePhoto(join(photos, 'may.jpg'), '2024:05:01 14:03:22', 'Canon EOS R5');
  await writePhoto(join(photos, 'june.jpg'), '2024:06:11 00:00:00', 'Canon EOS 5D');
  const address = index === 'disk' ? uri : 'memory:';
  const opened = await openIndex(address, { access: 'write', clip });
  return { photos, uri, index: opened };
}

async function namesOf(index: ImageIndex, where: string): Promise<string[]> {
  return (await index.search(query, { where })).map(({ path }) => basename(path)).sort();
}

describe('what photos say of themselves', () => {
  test('can be filtered by and is shown, in memory and on disk', async () => {
    for (const kind of ['memory', 'disk'] as const) {
      const { photos, index } = await photosIn(kind);
      await updateWith(index, clip, { images: [photos] });
      for (const [where, names] of [
        ["taken > '2024-05-01'", ['june.jpg', 'may.jpg']],
        ["taken > '2024-05-01T14:03:22'", ['june.jpg']],
        ["taken >= '2024-05-01 14:03:22' and not taken = '2024-06-11'", ['may.jpg']],
        ["taken between '2024-05-01' and '2024-05-31'", ['may.jpg']],
        ["taken in ('2024-06-11', '2020-01-01')", ['june.jpg']],
        [`taken < ${new Date('2024-05-01T14:03:23').getTime()}`, ['may.jpg']],
        ['taken < 1e300 and taken > -1e300', ['june.jpg', 'may.jpg']],
        ['taken is null', ['0.png']],
        ["camera like '%R5' or width > 23 and height < 21", ['0.png', 'may.jpg']],
        ['width = 20 and height = 30', ['june.jpg', 'may.jpg']],
        ['latitude is null and longitude is null and lens is null', ['0.png', 'june.jpg', 'may.jpg']],
      ] as const) {
        assert.deepEqual(await namesOf(index, where), names, where);
      }
      const { metadata } = (await index.find(join(photos, 'may.jpg')))!;
      assert.deepEqual(metadata, {
        ...{ taken: '2024-05-01T14:03:22', camera: 'Canon EOS R5', width: 20, height: 30 },
      });
      const [hit] = await index.search(query, { where: "camera = 'Canon EOS R5'" });
      assert.deepEqual(hit!.metadata, metadata);
      const { columns } = await index.statistics();
      assert.deepEqual(
        [columns.get('taken'), columns.get('width'), columns.get('_taken')],
        ['time', 'number', undefined],
      );
      assert.deepEqual(await index.values('taken', { prefix: '2024-05' }), {
        values: [{ value: '2024-05-01T14:03:22', count: 1 }],
        ...{ least: '2024-05-01T14:03:22', greatest: '2024-05-01T14:03:22', sampled: false },
      });
      const { values: cameras, ...others } = await index.values('camera', { prefix: 'canon' });
      assert.deepEqual(cameras[1], { value: 'Canon EOS R5', count: 1 });
      assert.deepEqual(others, { sampled: false });
      const { least: first, greatest: last } = await index.values('modified');
      assert.equal((await namesOf(index, `modified between '${first}' and '${last}'`)).length, 3);
      await assert.rejects(index.values('_taken'), /the column "_taken": expected one of "path", /);
      await assert.rejects(
        index.search(query, { where: "taken > 'May'" }),
        /a date or time like '2024-05-01'/,
      );
      await assert.rejects(index.search(query, { where: "_taken > '2024'" }), /"_taken"/);

      // Another image under the name.
      await writePhoto(join(photos, 'may.jpg'), '2024:07:01 00:00:01', 'Canon EOS R5');
      await updateWith(index, clip, { images: [photos] });
      assert.deepEqual(await namesOf(index, "taken > '2024-06-30'"), ['may.jpg']);
      await index.close();
    }
  });

  test("gives way to a user's columns of the same names, of whatever type", async () => {
    const { photos, index } = await photosIn('disk');
    await updateWith(index, clip, { images: [photos] });
    const table = join(photos, 'm.csv');
    await writeFile(table, 'path,taken,width\nmay.jpg,in May,wide\n0.png,never,narrow\n');
    await index.annotate(await openMetadata(table, { reserved: reservedColumns }), [photos]);
    assert.deepEqual(await namesOf(index, "taken like 'in%' and width = 'wide' and height = 30"), [
      'may.jpg',
    ]);
    const { metadata } = (await index.find(join(photos, 'june.jpg')))!;
    assert.deepEqual(metadata, { taken: null, width: null, camera: 'Canon EOS 5D', height: 30 });
    await writePhoto(join(photos, 'may.jpg'), '2024:07:01 00:00:01', 'Canon EOS 6D');
    await updateWith(index, clip, { images: [photos] });
    assert.deepEqual(await namesOf(index, "taken = 'in May' and camera like '%6D'"), ['may.jpg']);
    await index.close();
  });

  test('is filled in where an earlier version made the index, and survives a rebuild', async () => {
    const { photos, uri, index } = await photosIn('disk');
    await updateWith(index, clip, { images: [photos] });
    await index.close();
    const { connect } = await import('@lancedb/lancedb');
    const database = await connect(uri);
    const table = await database.openTable('pictures-1');
    const names = ['taken', 'camera', 'lens', 'latitude', 'longitude', 'width', 'height'];
    await table.dropColumns(names.map((name) => `_${name}`));
    table.close();
    database.close();

    const old = await openIndex(uri, { access: 'write', clip });
    await assert.rejects(namesOf(old, "taken > '2024-05-01'"), /found "taken"/);
    assert.deepEqual(await updateWith(old, clip, { images: [photos] }), { unchanged: 3 });
    assert.deepEqual(await namesOf(old, 'width is null'), ['0.png', 'june.jpg', 'may.jpg']);
    const options = { images: [photos], compare: 'contents' } as const;
    assert.deepEqual(await updateWith(old, clip, options), { unchanged: 3 });
    assert.deepEqual(await namesOf(old, "taken > '2024-05-01' and width = 20"), ['june.jpg', 'may.jpg']);
    assert.deepEqual(await updateWith(old, clip, options), { unchanged: 3 });
    await old.close();
    await Array.fromAsync(reindex(uri, clip, { precision: 'float16' }));
    const rebuilt = await openIndex(uri, { clip });
    assert.deepEqual(await namesOf(rebuilt, "taken > '2024-05-01' and width = 20"), ['june.jpg', 'may.jpg']);
    await rebuilt.close();
  });
});
