/** Thumbnails and originals: what is sent of images of all kinds, and that nothing else ever is. */

import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { entry } from '../../../test/archives.ts';
import { update, writePicture } from '../../../test/pictures.ts';
import { type Clip, loadClip } from '../../clip/index.ts';
import { npyHeader } from '../../core/index.ts';
import { type ImageIndex, openIndex } from '../../indexing/index.ts';
import { openEmbeddings } from '../../pictures/index.ts';
import type { KnownImage } from '../../store/index.ts';
import type { RequestScope } from '../service.ts';
import { ServedImages } from './served-images.ts';

const fixtures = join(import.meta.dirname, '../../../test/fixtures');
let clip: Clip;
let folder: string;
let photos: string;
let index: ImageIndex;
const served = new ServedImages(null);
const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><script>alert(1)</script><rect width="40" height="20" fill="red"/></svg>';

before(async () => {
  clip = await loadClip(join(fixtures, 'tiny-clip'));
  folder = await mkdtemp(join(tmpdir(), 'lincir-served-'));
  photos = join(folder, 'photos');
  await mkdir(join(photos, 'sub'), { recursive: true });
  for (const [at, name] of ['a.png', 'link.png', 'changed.png', 'gone.png', 'sub/b.png'].entries()) {
    await writePicture(join(photos, name), at);
  }
  await copyFile(join(fixtures, 'formats/phone.heic'), join(photos, 'phone.heic'));
  await copyFile(join(fixtures, 'formats/alpha.bmp'), join(photos, 'alpha.bmp'));
  await copyFile(join(fixtures, 'images/exif6.jpg'), join(photos, 'side.jpg'));
  await copyFile(join(fixtures, 'images/rgb.webp'), join(photos, 'really-webp.png'));
  await writeFile(join(photos, 'drawing.svg'), svg);
  const members = ['0.png', 'x/1.png'].map(async (name, at) => {
    const file = join(folder, `member-${at}.png`);
    await writePicture(file, 10 + at);
    return entry(name, await readFile(file));
  });
  await writeFile(
    join(photos, 'shard.tar'),
    Buffer.concat([...(await Promise.all(members)), Buffer.alloc(1024)]),
  );
  index = await openIndex('memory:', { access: 'write', clip });
  await update(index, clip, { images: [photos, join(photos, 'shard.tar')] });
});
after(async () => {
  await served.close();
  await index.close();
  await clip.dispose();
  await rm(folder, { recursive: true });
});

const scope = (): RequestScope => ({
  signal: new AbortController().signal,
  deadline: performance.now() + 60_000,
});
async function imageOf(name: string): Promise<KnownImage> {
  return (await index.find(join(photos, name)))!;
}
async function original(name: string) {
  return served.original(await imageOf(name), index, scope());
}
async function thumbnail(name: string, side: number) {
  const { bytes, ...facts } = await served.thumbnail(await imageOf(name), index, side, scope());
  const { format, width, height } = await sharp(bytes).metadata();
  return { ...facts, format, width, height };
}
async function refused(name: string, message: RegExp): Promise<void> {
  await assert.rejects(original(name), (error: Error & { code: string }) => {
    return (
      error.code === 'not-found' && message.test(error.message) && !error.message.includes(basename(folder))
    );
  });
  await assert.rejects(thumbnail(name, 64), { code: 'not-found' });
}

describe('originals', () => {
  test('are sent as they are if a browser shows their contents, whatever they are called', async () => {
    for (const [name, type] of [
      ['a.png', 'image/png'],
      ['sub/b.png', 'image/png'],
      ['side.jpg', 'image/jpeg'],
      ['really-webp.png', 'image/webp'],
    ] as const) {
      const file = await original(name);
      assert.deepEqual([file.type, file.name], [type, basename(name)]);
      assert.deepEqual(Buffer.from(file.bytes), await readFile(join(photos, name)));
    }
  });

  test('are converted otherwise, upright', async () => {
    for (const [name, type, sentAs] of [
      ['phone.heic', 'image/jpeg', 'phone.heic.jpg'],
      ['alpha.bmp', 'image/jpeg', 'alpha.bmp.jpg'],
      ['drawing.svg', 'image/png', 'drawing.svg.png'],
    ] as const) {
      const file = await original(name);
      const { width, height } = (await index.find(join(photos, name)))!.metadata;
      const header = await sharp(file.bytes).metadata();
      assert.deepEqual([file.type, file.name], [type, sentAs]);
      assert.deepEqual([header.width, header.height], [width, height], name);
      assert.ok(!Buffer.from(file.bytes).includes('script'));
    }
  });

  test('come out of shards', async () => {
    for (const [at, name] of ['0.png', 'x/1.png'].entries()) {
      const file = await original(`shard.tar!/${name}`);
      assert.deepEqual(Buffer.from(file.bytes), await readFile(join(folder, `member-${at}.png`)));
      assert.equal(file.name, basename(name));
    }
  });

  test('are never read from elsewhere, nor sent once they have changed', async () => {
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await rename(join(photos, 'link.png'), join(outside, 'same.png'));
    await symlink(join(outside, 'same.png'), join(photos, 'link.png'));
    await refused('link.png', /found a link to another folder; index that folder/);
    await writePicture(join(photos, 'changed.png'), 99);
    await refused('changed.png', /found another one, or one that has changed/);
    await rm(join(photos, 'gone.png'));
    await refused('gone.png', /found none there/);
    await symlink('gone.png', join(photos, 'gone.png'));
    await refused('gone.png', /found none there/);
  });

  test('may lie behind a link in another folder of the index', async () => {
    await rm(join(photos, 'a.png'));
    await writePicture(join(photos, 'sub/moved.png'), 0);
    await symlink('sub/moved.png', join(photos, 'a.png'));
    assert.equal((await original('a.png')).type, 'image/png');
  });

  test('of ready embeddings are not there, whatever file has their name', async () => {
    const names = join(folder, 'names.txt');
    const secret = join(folder, 'secret.txt');
    await writeFile(secret, 'secret');
    await writeFile(names, `${secret}\na name\n`);
    const embeddings = join(folder, 'ready.npy');
    const { dimensions } = index.info;
    const data = new Float32Array(2 * dimensions).fill(1);
    await writeFile(embeddings, Buffer.concat([npyHeader([2, dimensions]), Buffer.from(data.buffer)]));
    for await (const _ of index.addEmbeddings(await openEmbeddings(embeddings, names)));
    for (const name of [secret, 'a name']) {
      const image = (await index.find(name))!;
      await assert.rejects(served.original(image, index, scope()), { code: 'not-found' });
      await assert.rejects(served.thumbnail(image, index, 64, scope()), { code: 'not-found' });
    }
  });
});

describe('thumbnails', () => {
  test('are upright JPEGs of few sizes', async () => {
    const upright = await sharp(join(photos, 'side.jpg')).autoOrient().toBuffer({ resolveWithObject: true });
    const { width, height } = upright.info;
    assert.ok(Math.max(width, height) > 16);
    const known = await thumbnail('side.jpg', 1);
    assert.deepEqual([known.type, known.format], ['image/jpeg', 'jpeg']);
    assert.deepEqual((await thumbnail('side.jpg', 64)).etag, known.etag);
    assert.notEqual((await thumbnail('side.jpg', 65)).etag, known.etag);
    assert.deepEqual((await thumbnail('side.jpg', 5000)).width, width);
    for (const name of ['phone.heic', 'drawing.svg', 'alpha.bmp', 'shard.tar!/0.png']) {
      assert.equal((await thumbnail(name, 64)).format, 'jpeg', name);
    }
  });

  test('that are kept are sent even while their disk is away', async () => {
    const kept = await thumbnail('sub/b.png', 64);
    await rename(join(photos, 'sub'), join(folder, 'away'));
    assert.deepEqual(await thumbnail('sub/b.png', 64), kept);
    await assert.rejects(thumbnail('sub/b.png', 320), { code: 'not-found' });
    await rename(join(folder, 'away'), join(photos, 'sub'));
  });
});
