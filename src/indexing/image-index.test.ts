/** An index as its users keep it: folders that change, broken files, shards, metadata, other models. */

import assert from 'node:assert/strict';
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { brokenOf, place as placeIn, update as updateWith, writePicture } from '../../test/pictures.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { compose } from '../composition/index.ts';
import { type ImageIndex, openIndex } from './image-index.ts';
import type { UpdateOptions } from './update.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
let clip: Clip;
let folder: string;
before(async () => {
  clip = await loadClip(join(fixtures, 'tiny-clip'));
  folder = await mkdtemp(join(tmpdir(), 'lincir-index-'));
});
after(async () => {
  await clip.dispose();
  await rm(folder, { recursive: true, force: true });
});

const open = (uri: string) => openIndex(uri, { access: 'write', clip });
const place = (count: number) => placeIn(folder, count);
const update = (index: ImageIndex, options: UpdateOptions) => updateWith(index, clip, options);

describe('an index', () => {
  test('holds the embeddings that the model gives, and finds each image by itself', async () => {
    const { photos, uri } = await place(25);
    const index = await open(uri);
    assert.deepEqual(await update(index, { images: [photos] }), { added: 25, encoded: 25 });
    for (const name of ['0.png', 'sub/7.png']) {
      const found = (await index.find(join(photos, name)))!;
      const { data } = await clip.encodeImages([join(photos, name)]);
      assert.ok(Math.abs(found.norm! - Math.hypot(...data)) < 1e-4 * found.norm!);
      data.forEach((value, at) => {
        assert.ok(Math.abs(found.vector[at]! * found.norm! - value) < 1e-5);
      });
      const hits = await index.search(await compose({ clip, images: [join(photos, name)] }), { top: 3 });
      assert.equal(hits[0]!.path, join(photos, name));
      assert.ok(hits[0]!.score > 0.99999);
      const reference = await index.reference(join(photos, name));
      assert.equal(reference.id, found.id);
      const others = await index.search(await compose({ clip, images: [reference.image] }), {
        top: 24,
        exclude: [reference.hash],
      });
      assert.equal(others.length, 24);
      assert.ok(others.every(({ id }) => id !== found.id));
    }
    await index.close();
  });

  test('pages through what it found, and filters before ranking', async () => {
    const { photos, uri } = await place(12);
    const index = await open(uri);
    await update(index, { images: [photos] });
    const query = await compose({ clip, text: 'red' });
    const all = await index.search(query, { top: 12 });
    const pages = [];
    for (const page of [1, 2, 3]) pages.push(...(await index.search(query, { top: 5, page })));
    assert.deepEqual(pages, all);
    const where = `folder = '${join(photos, 'sub')}'`;
    assert.equal((await index.search(query, { top: 6, where })).length, 6);
    const minScore = all[3]!.score;
    assert.equal((await index.search(query, { top: 12, minScore })).length, 4);
    await assert.rejects(index.search(query, { where: 'colour = 1' }), /colour/);
    await assert.rejects(index.search(query, { top: 0 }), /top: expected a whole number from 1/);
    await assert.rejects(
      index.search({ ...query, fingerprint: 'f00' }),
      /the query: expected the model of the index, .* found another, of fingerprint f00; use that model, or rebuild .*`reindex\('/,
    );
    await index.close();
  });

  test('touches only what is new, changed, renamed or gone', async () => {
    const { photos, uri } = await place(10);
    const index = await open(uri);
    await update(index, { images: [photos] });
    assert.deepEqual(await update(index, { images: [photos] }), { unchanged: 10 });
    const { id } = (await index.find(join(photos, '0.png')))!;

    await rename(join(photos, '0.png'), join(photos, 'sub/zero.png'));
    await utimes(join(photos, '2.png'), 1, 1);
    await writePicture(join(photos, '4.png'), 104);
    await rm(join(photos, '6.png'));
    await writePicture(join(photos, 'new.png'), 105);
    await cp(join(photos, '8.png'), join(photos, 'copy of 8.png'));
    assert.deepEqual(await update(index, { images: [photos] }), {
      ...{ added: 2, changed: 1, renamed: 1, removed: 1, unchanged: 7 },
      encoded: 3,
    });
    assert.equal((await index.find(join(photos, 'sub/zero.png')))!.id, id);
    assert.equal((await index.statistics()).images, 11);
    assert.deepEqual(await update(index, { images: [photos] }), { unchanged: 11 });

    // Another folder is none of its business, and one that is named again is looked through whole.
    const other = await place(2);
    assert.deepEqual(await update(index, { images: [other.photos] }), { added: 2, encoded: 2 });
    await rename(join(photos, 'sub'), join(photos, 'moved'));
    assert.deepEqual(await update(index, { images: [photos] }), { renamed: 6, unchanged: 5 });
    assert.equal((await index.statistics()).images, 13);
    assert.equal(await index.remove([id, join(photos, '2.png'), 'none such']), 2);
    assert.equal((await index.statistics()).images, 11);
    await index.close();
  });

  test('tells two renamed images with equal contents apart, and copies of one that is gone', async () => {
    const { photos, uri } = await place(1);
    const index = await open(uri);
    await cp(join(photos, '0.png'), join(photos, '1.png'));
    await update(index, { images: [photos] });
    await rename(join(photos, '0.png'), join(photos, 'a.png'));
    await rename(join(photos, '1.png'), join(photos, 'b.png'));
    await cp(join(photos, 'a.png'), join(photos, 'c.png'));
    assert.deepEqual(await update(index, { images: [photos] }), { added: 1, renamed: 2 });
    const vectors = [];
    for (const name of ['a.png', 'b.png', 'c.png']) vectors.push((await index.find(join(photos, name)))!);
    assert.equal(new Set(vectors.map(({ id }) => id)).size, 3);
    assert.deepEqual(vectors[2]!.vector, vectors[0]!.vector);
    await index.close();
  });

  test('lists what is broken, with reasons, and tries again when it changes', async () => {
    const { photos, uri } = await place(4);
    await writeFile(join(photos, 'empty.jpg'), '');
    await writeFile(join(photos, 'text.png'), 'not an image');
    await truncate(join(photos, '2.png'), 300);
    await mkdir(join(photos, 'folder.jpg'));
    const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await writeFile(join(photos, 'bomb.png'), bomb);
    const index = await open(uri);
    const options = { images: [photos], maxPixels: 1_000_000 };
    assert.deepEqual(await update(index, options), { added: 3, broken: 4, encoded: 3 });
    const reasons = await brokenOf(index);
    assert.match(reasons.get('empty.jpg')!, /found an empty file/);
    assert.match(reasons.get('text.png')!, /expected a whole image/);
    assert.match(reasons.get('2.png')!, /expected a whole image/);
    assert.match(reasons.get('bomb.png')!, /at most 1000000 pixels, found a header that claims 9000 x 9000/);
    assert.deepEqual(await update(index, options), { unchanged: 3 });

    await writePicture(join(photos, '2.png'), 2);
    await rm(join(photos, 'text.png'));
    await truncate(join(photos, '0.png'), 200);
    assert.deepEqual(await update(index, options), { added: 1, broken: 1, unchanged: 2, encoded: 1 });
    const names = [...(await brokenOf(index)).keys()].sort();
    assert.deepEqual(names, ['0.png', 'bomb.png', 'empty.jpg']);
    assert.equal(await index.find(join(photos, '0.png')), undefined);
    await index.close();
  });

  test('refuses queries without a direction, or of other dimensions', async () => {
    const { photos, uri } = await place(2);
    const index = await open(uri);
    await update(index, { images: [photos] });
    const query = await compose({ clip, text: 'red' });
    const withVector = (vector: Float32Array) => index.search({ ...query, vector });
    const { length } = query.vector;
    await assert.rejects(
      withVector(new Float32Array(length)),
      /the query: expected a direction, found only zeros/,
    );
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      await assert.rejects(
        withVector(query.vector.map((own, at) => (at === 3 ? value : own))),
        /the query: expected a direction, found numbers that are not finite/,
      );
    }
    await assert.rejects(
      withVector(new Float32Array(3).fill(1)),
      /the query's dimensions: expected 24, found 3/,
    );
    await index.close();
  });

  test('leaves out what is excluded, hidden or behind links, and takes any name', async () => {
    const { photos, uri } = await place(2);
    const names = ['a\nb.png', '🦊 "it\'s".png', 'cafe\u0301.png', '%_*.PNG', ' lead.png', 'x.hidden.png'];
    for (const [at, name] of names.entries()) await writePicture(join(photos, name), 50 + at);
    for (const name of ['.git', 'node_modules', '@eaDir', '.hidden', 'skip']) {
      await mkdir(join(photos, name));
      await writePicture(join(photos, name, 'in.png'), 70);
    }
    await writePicture(join(photos, '.dot.png'), 71);
    await writePicture(join(photos, 'sub', 'thumb-1.png'), 72);
    const invalid = Buffer.concat([
      Buffer.from(`${photos}/`),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('.png'),
    ]);
    await writeFile(invalid, await sharp(join(photos, '0.png')).toBuffer());
    const elsewhere = await place(3);
    await symlink(elsewhere.photos, join(photos, 'link'));
    await symlink(photos, join(photos, 'loop'));
    await symlink(join(photos, 'nowhere.png'), join(photos, 'dangling.png'));

    const index = await open(uri);
    const exclude = ['skip', 'thumb-*', 'sub/none*'];
    assert.deepEqual(await update(index, { images: [photos], exclude }), {
      added: 8,
      broken: 1,
      encoded: 8,
    });
    for (const name of names) assert.ok(await index.find(join(photos, name)), name);
    assert.match([...(await brokenOf(index)).values()][0]!, /expected a name in UTF-8/);
    const followed = await update(index, { images: [photos], exclude, followLinks: true });
    assert.deepEqual(followed, { added: 3, broken: 2, unchanged: 8, encoded: 3 });
    const reasons = [...(await brokenOf(index))].map(([name, reason]) => `${name}: ${reason}`).join();
    assert.match(reasons, /dangling\.png: .*no such file/);
    await index.close();
  });

  test('does not take for gone what it may not look into', { skip: process.getuid?.() === 0 }, async () => {
    const { photos, uri } = await place(6);
    const index = await open(uri);
    await update(index, { images: [photos] });
    await chmod(join(photos, 'sub'), 0);
    try {
      assert.deepEqual(await update(index, { images: [photos] }), { broken: 1, unchanged: 3 });
      assert.equal((await index.statistics()).images, 6);
      assert.match([...(await brokenOf(index)).values()][0]!, /denies access/);
    } finally {
      await chmod(join(photos, 'sub'), 0o755);
    }
    assert.deepEqual(await update(index, { images: [photos] }), { unchanged: 6 });
    assert.equal((await brokenOf(index)).size, 0);
    await index.close();
  });
});
