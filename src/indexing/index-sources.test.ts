/** What else an index takes: lists, shards, ready embeddings, metadata, another model. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { create as createTar } from 'tar';
import {
  brokenOf,
  place as placeIn,
  plainFacts,
  update as updateWith,
  writePicture,
} from '../../test/pictures.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { compose } from '../composition/index.ts';
import { normalizeRows, normals } from '../core/index.ts';
import { writeNpy } from '../files/index.ts';
import { openEmbeddings, openMetadata } from '../pictures/index.ts';
import { reservedColumns } from '../store/index.ts';
import { type ImageIndex, openIndex } from './image-index.ts';
import { reindex } from './reindex.ts';
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

describe('an index takes', () => {
  test('lists of files, and names what they lack', async () => {
    const { photos, uri } = await place(4);
    const paths = ['0.png', 'sub/1.png', '0.png', 'gone.png'].map((name) => join(photos, name));
    await writeFile(join(photos, 'list.txt'), `${paths.join('\r\n')}\n\n`);
    await writeFile(join(photos, 'list.zero'), `${join(photos, '2.png')}\0${join(photos, 'sub/3.png')}\0`);
    const index = await open(uri);
    const lists = [join(photos, 'list.txt'), join(photos, 'list.zero')];
    assert.deepEqual(await update(index, { lists }), { added: 4, broken: 1, encoded: 4 });
    await rm(join(photos, 'sub/3.png'));
    assert.deepEqual(await update(index, { lists }), { removed: 1, broken: 2, unchanged: 3 });
    assert.deepEqual([...(await brokenOf(index)).keys()].sort(), ['3.png', 'gone.png']);
    await writeFile(join(photos, 'bad.txt'), Buffer.from([0xff, 0x0a]));
    await assert.rejects(
      update(index, { lists: [join(photos, 'bad.txt')] }),
      /bad\.txt: expected a list of paths in UTF-8/,
    );
    await assert.rejects(
      update(index, { images: [join(photos, 'none')] }),
      /none: expected something that can be read/,
    );
    await index.close();
  });

  test('the images of a shard, where they lie', async () => {
    const { photos, uri } = await place(6);
    await writeFile(join(photos, '0.txt'), 'a caption');
    await truncate(join(photos, '4.png'), 100);
    const shard = join(folder, 'shard.tar');
    await createTar({ file: shard, cwd: photos }, ['0.png', '0.txt', 'sub', '2.png', '4.png']);
    const index = await open(uri);
    assert.deepEqual(await update(index, { images: [shard] }), { added: 5, broken: 1, encoded: 5 });
    const member = (await index.find(`${shard}!/sub/1.png`))!;
    const { data } = await clip.encodeImages([join(photos, 'sub/1.png')], { normalize: true });
    assert.ok(data.every((value, at) => Math.abs(value - member.vector[at]!) < 1e-5));
    assert.deepEqual(await update(index, { images: [shard] }), { unchanged: 5 });
    await createTar({ file: shard, cwd: photos }, ['2.png', 'sub/1.png']);
    await utimes(shard, 5, 5);
    assert.deepEqual(await update(index, { images: [shard] }), { removed: 3, unchanged: 2 });
    await createTar({ file: join(photos, 'inside.tar'), cwd: photos }, ['sub/3.png']);
    const images = [photos, join(photos, 'inside.tar'), join(photos, 'sub')];
    assert.deepEqual(await update(index, { images }), { added: 6, broken: 1, encoded: 6 });
    assert.deepEqual(await update(index, { images: [photos] }), { unchanged: 5 });
    assert.ok(await index.find(`${join(photos, 'inside.tar')}!/sub/3.png`));
    await writeFile(join(folder, 'no.tar'), 'nothing of the kind'.repeat(100));
    await assert.rejects(update(index, { images: [join(folder, 'no.tar')] }), /no\.tar/);
    await index.close();
  });

  test('ready embeddings, by name', async () => {
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
    await assert.rejects(Array.fromAsync(reindex(uri, clip)), /no other process works in/);
    await index.close();
    await assert.rejects(
      Array.fromAsync(reindex(uri, clip)),
      /found a ready embedding, which cannot be encoded again/,
    );
  });

  test('metadata that its keys name, relative to the table or to a folder', async () => {
    const { photos, uri } = await place(5);
    const index = await open(uri);
    await update(index, { images: [photos] });
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
      ...{ rows: 4, images: 3, changed: 3, unmatched: 1, firstUnmatched: 'no.png' },
    });
    assert.equal((await index.annotate(csv, [photos])).changed, 0);
    const query = await compose({ clip, text: 'red' });
    const where = "rating >= 3 or owner = 'Bob'";
    const hits = await index.search(query, { where });
    assert.deepEqual(hits.map(({ path }) => basename(path)).sort(), ['0.png', '1.png', '2.png']);
    assert.deepEqual(hits.find(({ path }) => path.endsWith('/0.png'))!.metadata, {
      rating: 5,
      owner: 'Ada, L',
      ...plainFacts,
    });
    await writePicture(join(photos, '0.png'), 900);
    await update(index, { images: [photos] });
    assert.deepEqual((await index.find(join(photos, '0.png')))!.metadata, {
      rating: 5,
      owner: 'Ada, L',
      ...plainFacts,
    });
    await assert.rejects(
      index.annotate(await table('n.csv', 'file,rating\nx.png,1\n'), [photos]),
      /n\.csv: expected images' paths as "file", found none that the index has, among 1 such as "x\.png"/,
    );
    await assert.rejects(
      index.annotate(await table('o.csv', 'file,rating\n0.png,2\n2.png,good\n'), [photos]),
      /o\.csv: line 3: expected a number, as this column of the index has, found "good" as "rating"; .*another name/,
    );
    assert.equal((await index.find(join(photos, '0.png')))!.metadata.rating, 5);
    // A column that has been empty so far has no type, one that is empty now loses its values.
    const empty = await table('p.csv', 'file,rating,later\n0.png,NaN,\nsub/1.png,,nan\n');
    assert.equal((await index.annotate(empty, [photos])).changed, 2);
    assert.equal((await index.annotate(empty, [photos])).changed, 0);
    await index.annotate(await table('q.csv', 'file,later\n0.png,+2\nsub/1.png, .5\n'), [photos]);
    const metadataOf = async (name: string) => (await index.find(join(photos, name)))!.metadata;
    const others = { rating: null, owner: 'Ada, L', ...plainFacts };
    assert.deepEqual(await metadataOf('0.png'), { ...others, later: 2 });
    assert.deepEqual((await metadataOf('sub/1.png')).later, 0.5);
    // Where texts are, what would be no number is one.
    await index.annotate(await table('r.csv', 'file,owner\n0.png,none\nsub/1.png,\n'), [photos]);
    assert.equal((await metadataOf('0.png')).owner, 'none');
    assert.equal((await metadataOf('sub/1.png')).owner, null);
    await index.close();
  });

  test('metadata of later tables take the types of the columns that there are', async () => {
    const { photos, uri } = await place(3);
    const index = await open(uri);
    await update(index, { images: [photos] });
    const annotate = async (name: string, text: string) => {
      const path = join(photos, name);
      await writeFile(path, text);
      return await index.annotate(await openMetadata(path, { reserved: reservedColumns }), [photos]);
    };
    const inIndex = async (column: string) =>
      (await index.find(join(photos, '0.png')))!.metadata[column] ?? null;
    await annotate('a.csv', 'path,text,yes,number\n0.png,x,true,1\n');
    for (const [name, content, expected] of [
      ['b.csv', 'path,text\n0.png,+05.50\n', '+05.50'],
      ['b.csv', 'path,text\n0.png,1e3\n', '1e3'],
      ['b.tsv', 'path\ttext\n0.png\tTrue\n', 'True'],
      ['b.jsonl', '{"path": "0.png", "text": 7}', '7'],
      ['b.jsonl', '{"path": "0.png", "text": false}', 'false'],
      ['b.csv', 'path,text\n0.png,\n', null],
      ['b.csv', 'path,yes\n0.png,0\n', false],
      ['b.csv', 'path,yes\n0.png,1\n', true],
      ['b.csv', 'path,yes\n0.png,FALSE\n1.png,1\n', false],
      ['b.jsonl', '{"path": "0.png", "yes": 1}', true],
      ['b.csv', 'path,number\n0.png, +2\n', 2],
    ] as const) {
      await annotate(name, content);
      const column = /text|yes|number/.exec(content)![0];
      assert.equal(await inIndex(column), expected, content);
    }
    for (const [name, content, message] of [
      ['c.csv', 'path,yes\n1.png,1\n0.png,2\n', /line 3: expected a boolean, .*"2" as "yes"/],
      ['c.csv', 'path,number\n0.png,true\n', /line 2: expected a number, .*"true" as "number"/],
      ['c.jsonl', '{"path": "0.png", "number": "3"}', /line 1: expected a number, .*"3" as "number"/],
      ['c.jsonl', '{"path": "0.png", "yes": "true"}', /line 1: expected a boolean/],
    ] as const) {
      await assert.rejects(annotate(name, content), { code: 'bad-file', message }, content);
    }
    assert.deepEqual([await inIndex('yes'), await inIndex('number')], [true, 2]);
    await index.close();
  });

  test('is rebuilt for another model beside the old one; ids and metadata stay', async () => {
    const { photos, uri } = await place(6);
    const shard = join(folder, 'more.tar');
    await createTar({ file: shard, cwd: photos }, ['0.png']);
    const index = await open(uri);
    await update(index, { images: [photos, shard] });
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
    assert.deepEqual([after.id, after.metadata], [before.id, { rating: 4, ...plainFacts }]);
    const { data } = await other.encodeImages([join(photos, '2.png')], { normalize: true });
    assert.ok(data.every((value, at) => Math.abs(value - after.vector[at]!) < 1e-3));
    assert.equal((await rebuilt.statistics()).images, 7);
    await rebuilt.close();
    await other.dispose();
  });

  test('is rebuilt without a shard that is gone, whose images can come back', async () => {
    const { photos, uri } = await place(4);
    const shard = join(folder, 'gone.tar');
    await createTar({ file: shard, cwd: photos }, ['0.png', '2.png']);
    const index = await open(uri);
    await update(index, { images: [photos, shard] });
    const before = (await index.find(`${shard}!/0.png`))!;
    await index.close();
    await rm(shard);
    await Array.fromAsync(reindex(uri, clip));
    const now = await openIndex(uri);
    assert.equal((await now.statistics()).images, 4);
    const missing = (await Array.fromAsync(now.missing())).flat();
    assert.deepEqual(missing.map(({ path }) => path).sort(), [`${shard}!/0.png`, `${shard}!/2.png`]);
    assert.ok(missing.some(({ id }) => id === before.id));
    await now.close();
  });

  test('is found again by readers when another has taken its place', async () => {
    const { photos, uri } = await place(6);
    const index = await open(uri);
    await update(index, { images: [photos] });
    await index.close();
    const readers = await Promise.all([1, 2, 3, 4].map(() => openIndex(uri)));
    const [searching, finding, counting, listing] = readers as [
      ImageIndex,
      ImageIndex,
      ImageIndex,
      ImageIndex,
    ];
    const query = await compose({ clip, text: 'red' });
    const before = await searching.search(query, { top: 6 });
    await Array.fromAsync(reindex(uri, clip, { precision: 'float16' }));
    // Many at once find the same new one.
    const found = await Promise.all([1, 2, 3].map(() => searching.search(query, { top: 6 })));
    for (const hits of found)
      assert.deepEqual(new Set(hits.map(({ id }) => id)), new Set(before.map(({ id }) => id)));
    assert.equal((await finding.find(join(photos, '2.png')))?.path, join(photos, '2.png'));
    assert.equal((await counting.statistics()).images, 6);
    assert.deepEqual((await Array.fromAsync(listing.broken())).flat(), []);

    const other = await loadClip(join(fixtures, 'tiny-clip-bf16'));
    await Array.fromAsync(reindex(uri, other));
    await assert.rejects(searching.search(query), /the query: expected the model of the index/);
    assert.equal(searching.info.fingerprint, other.fingerprint);
    assert.equal((await searching.search(await compose({ clip: other, text: 'red' }))).length, 6);
    await other.dispose();
    await rm(uri, { recursive: true });
    await assert.rejects(searching.search(await compose({ clip, text: 'red' })));
    for (const reader of readers) await reader.close();
  });

  test('is of one padding', async () => {
    const { uri } = await place(0);
    await (await open(uri)).close();
    const padding = await loadClip(join(fixtures, 'tiny-clip'), { targetPad: 1.25 });
    await assert.rejects(
      openIndex(uri, { clip: padding }),
      /expected images without padding, as the index was made, found padding to 1\.25/,
    );
    await padding.dispose();
    await assert.rejects(openIndex(join(folder, 'none.lance'), { clip }), /expected an index, found none/);
  });
});
