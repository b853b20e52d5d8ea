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
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { create as createTar } from 'tar';
import { type Clip, loadClip } from '../clip/index.ts';
import { normalizeRows, normals, uniforms, writeNpy } from '../core/index.ts';
import { openEmbeddings, openMetadata } from '../pictures/index.ts';
import { reservedColumns } from '../store/index.ts';
import { compose } from './compose.ts';
import { openIndex, type PictureIndex } from './picture-index.ts';
import { reindex } from './reindex.ts';
import type { UpdateOptions, UpdateSummary } from './update.ts';

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

let places = 0;
/** A folder with so many pictures of noise, and an address for its index. */
async function place(count: number): Promise<{ photos: string; uri: string }> {
  places += 1;
  const photos = join(folder, `photos-${places}`);
  await mkdir(join(photos, 'sub'), { recursive: true });
  for (let number = 0; number < count; number += 1) {
    await writePicture(join(photos, number % 2 ? 'sub' : '', `${number}.png`), number);
  }
  return { photos, uri: join(folder, `index-${places}.lance`) };
}

async function writePicture(path: string, number: number): Promise<void> {
  const noise = uniforms({ seed: number, purpose: 'noise', moment: 0, row: 0 }, 24 * 20 * 3);
  const data = Uint8Array.from(noise, (value) => value * 256);
  await writeFile(
    path,
    await sharp(data, { raw: { width: 24, height: 20, channels: 3 } })
      .png()
      .toBuffer(),
  );
}

const open = (uri: string) => openIndex(uri, { access: 'write', clip });

/** Brings an index up to date; the counts that are not 0. */
async function update(index: PictureIndex, options: UpdateOptions): Promise<Partial<UpdateSummary>> {
  let summary: UpdateSummary | undefined;
  for await (const event of index.add(clip, options)) if (event.kind === 'end') summary = event.summary;
  const { encodingSeconds: _, ...counts } = summary!;
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

const brokenOf = async (index: PictureIndex) => (await Array.fromAsync(index.broken())).flat();

describe('an index', () => {
  test('holds the embeddings that the model gives, and finds each picture by itself', async () => {
    const { photos, uri } = await place(25);
    const index = await open(uri);
    assert.deepEqual(await update(index, { pictures: [photos] }), { added: 25, encoded: 25 });
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
    await update(index, { pictures: [photos] });
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
      /the query: expected the model of the index, .* found another, of fingerprint f00; use that model, or rebuild .*lincir reindex --index/,
    );
    await index.close();
  });

  test('touches only what is new, changed, renamed or gone', async () => {
    const { photos, uri } = await place(10);
    const index = await open(uri);
    await update(index, { pictures: [photos] });
    assert.deepEqual(await update(index, { pictures: [photos] }), { unchanged: 10 });
    const { id } = (await index.find(join(photos, '0.png')))!;

    await rename(join(photos, '0.png'), join(photos, 'sub/zero.png'));
    await utimes(join(photos, '2.png'), 1, 1);
    await writePicture(join(photos, '4.png'), 104);
    await rm(join(photos, '6.png'));
    await writePicture(join(photos, 'new.png'), 105);
    await cp(join(photos, '8.png'), join(photos, 'copy of 8.png'));
    assert.deepEqual(await update(index, { pictures: [photos] }), {
      ...{ added: 2, changed: 1, renamed: 1, removed: 1, unchanged: 7 },
      encoded: 3,
    });
    assert.equal((await index.find(join(photos, 'sub/zero.png')))!.id, id);
    assert.equal((await index.statistics()).pictures, 11);
    assert.deepEqual(await update(index, { pictures: [photos] }), { unchanged: 11 });

    // Another folder is none of its business, and one that is named again is looked through whole.
    const other = await place(2);
    assert.deepEqual(await update(index, { pictures: [other.photos] }), { added: 2, encoded: 2 });
    await rename(join(photos, 'sub'), join(photos, 'moved'));
    assert.deepEqual(await update(index, { pictures: [photos] }), { renamed: 6, unchanged: 5 });
    assert.equal((await index.statistics()).pictures, 13);
    assert.equal(await index.remove([id, join(photos, '2.png'), 'none such']), 2);
    assert.equal((await index.statistics()).pictures, 11);
    await index.close();
  });

  test('tells two renamed pictures with equal contents apart, and copies of one that is gone', async () => {
    const { photos, uri } = await place(1);
    const index = await open(uri);
    await cp(join(photos, '0.png'), join(photos, '1.png'));
    await update(index, { pictures: [photos] });
    await rename(join(photos, '0.png'), join(photos, 'a.png'));
    await rename(join(photos, '1.png'), join(photos, 'b.png'));
    await cp(join(photos, 'a.png'), join(photos, 'c.png'));
    assert.deepEqual(await update(index, { pictures: [photos] }), { added: 1, renamed: 2 });
    const vectors = [];
    for (const name of ['a.png', 'b.png', 'c.png']) vectors.push((await index.find(join(photos, name)))!);
    assert.equal(new Set(vectors.map(({ id }) => id)).size, 3);
    assert.deepEqual(vectors[2]!.vector, vectors[0]!.vector);
    await index.close();
  });

  test('lists what is broken, with reasons, and tries again when it changes', async () => {
    const { photos, uri } = await place(4);
    await writeFile(join(photos, 'empty.jpg'), '');
    await writeFile(join(photos, 'text.png'), 'not a picture');
    await truncate(join(photos, '2.png'), 300);
    await mkdir(join(photos, 'folder.jpg'));
    const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await writeFile(join(photos, 'bomb.png'), bomb);
    const index = await open(uri);
    const options = { pictures: [photos], maxPixels: 1_000_000 };
    assert.deepEqual(await update(index, options), { added: 3, broken: 4, encoded: 3 });
    const reasons = new Map((await brokenOf(index)).map(({ path, reason }) => [basename(path), reason]));
    assert.match(reasons.get('empty.jpg')!, /found an empty file/);
    assert.match(reasons.get('text.png')!, /expected a whole image/);
    assert.match(reasons.get('2.png')!, /expected a whole image/);
    assert.match(reasons.get('bomb.png')!, /at most 1000000 pixels, found a header that claims 9000 x 9000/);
    assert.deepEqual(await update(index, options), { unchanged: 7 });

    await writePicture(join(photos, '2.png'), 2);
    await rm(join(photos, 'text.png'));
    await truncate(join(photos, '0.png'), 200);
    assert.deepEqual(await update(index, options), { added: 1, broken: 1, unchanged: 4, encoded: 1 });
    const names = (await brokenOf(index)).map(({ path }) => basename(path)).sort();
    assert.deepEqual(names, ['0.png', 'bomb.png', 'empty.jpg']);
    assert.equal(await index.find(join(photos, '0.png')), undefined);
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
    assert.deepEqual(await update(index, { pictures: [photos], exclude }), {
      added: 8,
      broken: 1,
      encoded: 8,
    });
    for (const name of names) assert.ok(await index.find(join(photos, name)), name);
    assert.match((await brokenOf(index))[0]!.reason, /expected a name in UTF-8/);
    const followed = await update(index, { pictures: [photos], exclude, followLinks: true });
    assert.deepEqual(followed, { added: 3, broken: 2, unchanged: 8, encoded: 3 });
    const reasons = (await brokenOf(index)).map(({ path, reason }) => `${basename(path)}: ${reason}`).join();
    assert.match(reasons, /dangling\.png: .*no such file/);
    await index.close();
  });

  test('does not take for gone what it may not look into', { skip: process.getuid?.() === 0 }, async () => {
    const { photos, uri } = await place(6);
    const index = await open(uri);
    await update(index, { pictures: [photos] });
    await chmod(join(photos, 'sub'), 0);
    try {
      assert.deepEqual(await update(index, { pictures: [photos] }), { broken: 1, unchanged: 3 });
      assert.equal((await index.statistics()).pictures, 6);
      assert.match((await brokenOf(index))[0]!.reason, /denies access/);
    } finally {
      await chmod(join(photos, 'sub'), 0o755);
    }
    assert.deepEqual(await update(index, { pictures: [photos] }), { unchanged: 6 });
    assert.deepEqual(await brokenOf(index), []);
    await index.close();
  });

  test('takes lists of files, and names what they lack', async () => {
    const { photos, uri } = await place(4);
    const paths = ['0.png', 'sub/1.png', '0.png', 'gone.png'].map((name) => join(photos, name));
    await writeFile(join(photos, 'list.txt'), `${paths.join('\r\n')}\n\n`);
    await writeFile(join(photos, 'list.zero'), `${join(photos, '2.png')}\0${join(photos, 'sub/3.png')}\0`);
    const index = await open(uri);
    const lists = [join(photos, 'list.txt'), join(photos, 'list.zero')];
    assert.deepEqual(await update(index, { lists }), { added: 4, broken: 1, encoded: 4 });
    await rm(join(photos, 'sub/3.png'));
    assert.deepEqual(await update(index, { lists }), { removed: 1, broken: 2, unchanged: 3 });
    assert.deepEqual((await brokenOf(index)).map(({ path }) => basename(path)).sort(), ['3.png', 'gone.png']);
    await writeFile(join(photos, 'bad.txt'), Buffer.from([0xff, 0x0a]));
    await assert.rejects(
      update(index, { lists: [join(photos, 'bad.txt')] }),
      /bad\.txt: expected a list of paths in UTF-8/,
    );
    await assert.rejects(
      update(index, { pictures: [join(photos, 'none')] }),
      /none: expected something that can be read/,
    );
    await index.close();
  });

  test('reads the pictures of a shard where they lie', async () => {
    const { photos, uri } = await place(6);
    await writeFile(join(photos, '0.txt'), 'a caption');
    await truncate(join(photos, '4.png'), 100);
    const shard = join(folder, 'shard.tar');
    await createTar({ file: shard, cwd: photos }, ['0.png', '0.txt', 'sub', '2.png', '4.png']);
    const index = await open(uri);
    assert.deepEqual(await update(index, { pictures: [shard] }), { added: 5, broken: 1, encoded: 5 });
    const member = (await index.find(`${shard}!/sub/1.png`))!;
    const { data } = await clip.encodeImages([join(photos, 'sub/1.png')], { normalize: true });
    assert.ok(data.every((value, at) => Math.abs(value - member.vector[at]!) < 1e-5));
    assert.deepEqual(await update(index, { pictures: [shard] }), { unchanged: 6 });
    await createTar({ file: shard, cwd: photos }, ['2.png', 'sub/1.png']);
    await utimes(shard, 5, 5);
    assert.deepEqual(await update(index, { pictures: [shard] }), { removed: 3, unchanged: 2 });
    await writeFile(join(folder, 'no.tar'), 'nothing of the kind'.repeat(100));
    await assert.rejects(update(index, { pictures: [join(folder, 'no.tar')] }), /no\.tar/);
    await index.close();
  });

  test('takes ready embeddings, by name', async () => {
    const { uri } = await place(0);
    const dimensions = clip.visionConfig.projection;
    const file = join(folder, 'features.npy');
    const rows = normals({ seed: 3, purpose: 'noise', moment: 0, row: 0 }, 5 * dimensions);
    normalizeRows(rows.subarray(4 * dimensions), dimensions);
    const write = async (names: readonly string[]) => {
      await writeNpy(
        file,
        [names.length, dimensions],
        (async function* () {
          yield rows.subarray(0, names.length * dimensions);
        })(),
      );
      await writeFile(join(folder, 'names.txt'), names.join('\n'));
      return await openEmbeddings(file, join(folder, 'names.txt'));
    };
    const index = await open(uri);
    const add = async (names: readonly string[]) => {
      const work = index.addEmbeddings(await write(names));
      for (;;) {
        const { done, value } = await work.next();
        if (done) return value;
      }
    };
    assert.deepEqual(await add(['a', 'b', 'c', 'd', 'e']), { added: 5, changed: 0, unchanged: 0 });
    const [a, e] = [(await index.find('a'))!, (await index.find('e'))!];
    assert.ok(Math.abs(a.norm! - Math.hypot(...rows.subarray(0, dimensions))) < 1e-4);
    assert.equal(e.norm, null);
    rows[0]! += 1;
    assert.deepEqual(await add(['a', 'b', 'c', 'd', 'f']), { added: 1, changed: 4, unchanged: 0 });
    assert.equal((await index.find('a'))!.id, a.id);
    await assert.rejects(add(['a', 'b', 'b', 'd', 'f']), /expected every name once, found "b" twice/);
    await assert.rejects(Array.fromAsync(reindex(uri, clip)), /no other process is at work in/);
    await index.close();
    await assert.rejects(
      Array.fromAsync(reindex(uri, clip)),
      /found a ready embedding, which cannot be encoded again/,
    );
  });

  test('takes metadata that its keys name, relative to the table or to a folder', async () => {
    const { photos, uri } = await place(5);
    const index = await open(uri);
    await update(index, { pictures: [photos] });
    const table = async (name: string, text: string) => {
      const path = join(photos, name);
      await writeFile(path, text);
      return await openMetadata(path, { reserved: reservedColumns });
    };
    const csv = await table(
      'm.csv',
      'file,rating,owner\n0.png,5,"Ada, L"\nsub/1.png,3,\n./2.png,,Bob\nno.png,1,x\n',
    );
    assert.deepEqual(await index.annotate(csv, [photos]), {
      ...{ rows: 4, pictures: 3, changed: 3, unmatched: 1, firstUnmatched: 'no.png' },
    });
    assert.equal((await index.annotate(csv, [photos])).changed, 0);
    const query = await compose({ clip, text: 'red' });
    const where = "rating >= 3 or owner = 'Bob'";
    const hits = await index.search(query, { where });
    assert.deepEqual(hits.map(({ path }) => basename(path)).sort(), ['0.png', '1.png', '2.png']);
    assert.deepEqual(hits.find(({ path }) => path.endsWith('/0.png'))!.metadata, {
      rating: 5,
      owner: 'Ada, L',
    });
    await writePicture(join(photos, '0.png'), 900);
    await update(index, { pictures: [photos] });
    assert.deepEqual((await index.find(join(photos, '0.png')))!.metadata, { rating: 5, owner: 'Ada, L' });
    await assert.rejects(
      index.annotate(await table('n.csv', 'file,rating\nx.png,1\n'), [photos]),
      /n\.csv: expected pictures' paths as "file", found none that the index has, among 1 such as "x\.png"/,
    );
    await assert.rejects(
      index.annotate(await table('o.csv', 'file,rating\n0.png,good\n'), [photos]),
      /metadata column "rating": expected a number, as in the index, found a string/,
    );
    await index.close();
  });

  test('is rebuilt for another model beside the old one; ids and metadata stay', async () => {
    const { photos, uri } = await place(6);
    const shard = join(folder, 'more.tar');
    await createTar({ file: shard, cwd: photos }, ['0.png']);
    const index = await open(uri);
    await update(index, { pictures: [photos, shard] });
    await writeFile(join(photos, 'm.csv'), 'path,rating\n2.png,4\n');
    await index.annotate(await openMetadata(join(photos, 'm.csv'), { reserved: reservedColumns }), []);
    const before = (await index.find(join(photos, '2.png')))!;
    await index.close();

    const other = await loadClip(join(fixtures, 'tiny-clip-bf16'));
    await assert.rejects(openIndex(uri, { clip: other }), /expected the model of the index/);
    const work = reindex(uri, other, { precision: 'float16' });
    for await (const { kind } of work) if (kind === 'begin') break; // stopped in the middle
    assert.equal((await openIndex(uri)).info.fingerprint, clip.fingerprint);
    await Array.fromAsync(reindex(uri, other, { precision: 'float16' }));
    const rebuilt = await openIndex(uri, { clip: other });
    assert.equal(rebuilt.info.precision, 'float16');
    const after = (await rebuilt.find(join(photos, '2.png')))!;
    assert.deepEqual([after.id, after.metadata], [before.id, { rating: 4 }]);
    const { data } = await other.encodeImages([join(photos, '2.png')], { normalize: true });
    assert.ok(data.every((value, at) => Math.abs(value - after.vector[at]!) < 1e-3));
    assert.equal((await rebuilt.statistics()).pictures, 7);
    await rebuilt.close();
    await other.dispose();
  });

  test('is of one padding', async () => {
    const { uri } = await place(0);
    await (await open(uri)).close();
    const padding = await loadClip(join(fixtures, 'tiny-clip'), { targetPad: 1.25 });
    await assert.rejects(
      openIndex(uri, { clip: padding }),
      /expected pictures without padding, as the index was made, found padding to 1\.25/,
    );
    await padding.dispose();
    await assert.rejects(openIndex(join(folder, 'none.lance'), { clip }), /expected an index, found none/);
  });
});
