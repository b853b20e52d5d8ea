/** Updates from shards in object storage: what has not changed is not read again, and nothing is overlooked. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { entry } from '../../test/archives.ts';
import { update as updateWith, writePicture } from '../../test/pictures.ts';
import { credentials, S3Server } from '../../test/s3-server.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { type ImageIndex, openIndex } from './image-index.ts';
import type { UpdateOptions } from './update.ts';

const server = new S3Server();
const pictures: Buffer[] = [];
let clip: Clip;
let folder: string;

before(async () => {
  clip = await loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
  folder = await mkdtemp(join(tmpdir(), 'lincir-shards-'));
  for (let number = 0; number < 8; number += 1) {
    await writePicture(join(folder, 'one.png'), number);
    pictures.push(await readFile(join(folder, 'one.png')));
  }
  Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: await server.start() });
});
after(async () => {
  await clip.dispose();
  server.close();
  for (const name of ['AWS_ENDPOINT_URL', ...Object.keys(credentials)]) delete process.env[name];
  await rm(folder, { recursive: true });
});

let day = 0;
/** A shard of these images; of -1, something broken. */
function put(name: string, numbers: readonly number[]): void {
  day += 1;
  const members = numbers.map((number) => entry(`${number}.png`, pictures[number] ?? 'no image'));
  const bytes = Buffer.concat([...members, Buffer.alloc(1024)]);
  server.put(`${name}.tar`, bytes, new Date(Date.UTC(2026, 0, day)));
}
/** The counts of an update, and the shards that it read. */
async function update(index: ImageIndex, images: string, options: UpdateOptions = {}) {
  server.requests.length = 0;
  const counts = await updateWith(index, clip, { images: [images], ...options });
  const read = server.requests.filter(({ method, path }) => method === 'GET' && path.endsWith('.tar'));
  return { ...counts, read: [...new Set(read.map(({ path }) => path.split('/').at(-1)))] };
}
const records = async (index: ImageIndex) =>
  (await Array.fromAsync(index.sources()))
    .flat()
    .map(({ source, state, images, broken }) => [source.split('/').at(-1), state, images, broken])
    .sort();

describe('shards in object storage', { concurrency: false }, () => {
  test('are read again only if they have changed, or the index lacks some of their images', async () => {
    put('shop/a', [0, 1, -1]);
    put('shop/b', [2, 3]);
    const index = await openIndex('memory:', { access: 'write', clip });
    const all = 's3://shop';
    const first = await update(index, all);
    assert.deepEqual(first, { added: 4, broken: 1, encoded: 4, read: ['a.tar', 'b.tar'] });
    const done = [
      ['a.tar', 'done', 2, 1],
      ['b.tar', 'done', 2, 0],
    ];
    assert.deepEqual(await records(index), done);
    assert.deepEqual(await update(index, all), { unchanged: 4, read: [] });
    assert.deepEqual(await records(index), done);
    assert.equal((await index.statistics()).broken, 1);

    put('shop/b', [3, 4, 5]);
    put('shop/c', [6]);
    const second = await update(index, all);
    assert.deepEqual(second, { added: 3, removed: 1, unchanged: 3, encoded: 3, read: ['b.tar', 'c.tar'] });
    await index.remove(['s3://shop/a.tar!/1.png']);
    assert.deepEqual(await update(index, all), { added: 1, unchanged: 5, encoded: 1, read: ['a.tar'] });
    const contents = await update(index, all, { compare: 'contents' });
    assert.deepEqual(contents, { unchanged: 6, broken: 1, read: ['a.tar', 'b.tar', 'c.tar'] });
    assert.deepEqual(await update(index, all), { unchanged: 6, read: [] });

    const without = await update(index, all, { exclude: ['0.png'] });
    assert.deepEqual(without, { removed: 1, unchanged: 5, read: ['a.tar', 'b.tar', 'c.tar'] });
    assert.deepEqual(await update(index, all, { exclude: ['0.png'] }), { unchanged: 5, read: [] });
    assert.equal((await update(index, all)).added, 1);
    const times = (name: string) =>
      server.requests.filter(({ method, path }) => method === 'GET' && path.endsWith(name)).length;
    // First to see what is gone, then for the new image.
    assert.deepEqual(['a.tar', 'b.tar', 'c.tar'].map(times), [2, 1, 1]);

    server.objects.delete('shop/c.tar');
    assert.deepEqual(await update(index, all), { removed: 1, unchanged: 5, read: [] });
    assert.equal((await records(index)).length, 2);
    await index.close();
  });

  test('that a worker has gone through are not read again', async () => {
    put('work/a', [0, 1, -1]);
    const index = await openIndex('memory:', { access: 'write', clip });
    const shard = { number: 1, count: 1 };
    for await (const _ of index.addShard(clip, { images: ['s3://work'], shard }));
    assert.deepEqual(await update(index, 's3://work'), { unchanged: 2, read: [] });
    put('work/a', [1]);
    for await (const _ of index.addShard(clip, { images: ['s3://work'], shard }));
    // Workers remove nothing.
    assert.deepEqual(await update(index, 's3://work'), { removed: 1, unchanged: 1, read: ['a.tar'] });
    assert.equal((await index.statistics()).broken, 0);
    await index.close();
  });

  test('that are cut short, or lost most of their images, are read again until they are whole', async () => {
    put('cut/a', [0, 1, 2, 3, 4, 5]);
    const index = await openIndex('memory:', { access: 'write', clip });
    await update(index, 's3://cut');
    put('cut/a', [5]);
    for (let run = 0; run < 2; run += 1) {
      await assert.rejects(update(index, 's3://cut'), /expected most of the images that the index has of it/);
    }
    const all = server.objects.get('cut/a.tar')!.bytes;
    server.put('cut/a.tar', all.subarray(0, 700));
    for (let run = 0; run < 2; run += 1) {
      assert.deepEqual((await update(index, 's3://cut')).read, ['a.tar']);
    }
    assert.equal((await index.statistics()).broken, 1);
    put('cut/a', [0, 1, 2, 3, 4, 5]); // what was recorded
    assert.deepEqual(await update(index, 's3://cut'), { unchanged: 6, read: [] });
    assert.equal((await index.statistics()).broken, 0);
    put('cut/a', [5, 4, 3, 2, 1, 0]);
    assert.deepEqual(await update(index, 's3://cut'), { unchanged: 6, read: ['a.tar'] });
    assert.deepEqual(await update(index, 's3://cut'), { unchanged: 6, read: [] });
    await index.close();
  });
});
