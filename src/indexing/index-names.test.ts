/** Names of files in every form of Unicode, wherever an index compares them. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { create as createTar } from 'tar';
import { brokenOf, plainFacts, update as updateWith, writePicture } from '../../test/pictures.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { compose } from '../composition/index.ts';
import { normals } from '../core/index.ts';
import { writeNpy } from '../files/index.ts';
import { openEmbeddings, openMetadata } from '../pictures/index.ts';
import { backendOf, reservedColumns } from '../store/index.ts';
import { type ImageIndex, openIndex } from './image-index.ts';
import { reindex } from './reindex.ts';
import type { UpdateOptions } from './update.ts';

const [nfc, nfd] = ['\u00e9.png', 'e\u0301.png'];
let clip: Clip;
let folder: string;
/** Its name and those in it are decomposed on disk. */
let photos: string;
before(async () => {
  clip = await loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
  folder = await mkdtemp(join(tmpdir(), 'lincir-forms-'));
  photos = join(folder, 'E\u0301te\u0301');
  await mkdir(join(photos, 'a\u0308'), { recursive: true });
  await writePicture(join(photos, nfd), 1);
  await writePicture(join(photos, 'a\u0308', 'o\u0308.png'), 2);
  await writeFile(join(photos, 'broken-e\u0301.png'), 'nothing');
});
after(async () => {
  await clip.dispose();
  await rm(folder, { recursive: true, force: true });
});

const open = () => openIndex(join(folder, `${randomUUID()}.lance`), { access: 'write', clip });
const update = (index: ImageIndex, options: UpdateOptions) => updateWith(index, clip, options);

test('folders, lists, exclusions and single files are found as they are typed', async () => {
  const index = await open();
  const typed = photos.normalize('NFC');
  assert.deepEqual(await update(index, { images: [typed] }), { added: 2, broken: 1, encoded: 2 });
  assert.deepEqual(await update(index, { images: [photos] }), { unchanged: 2 });
  assert.deepEqual(await update(index, { images: [photos], exclude: ['\u00e4'] }), {
    removed: 1,
    unchanged: 1,
  });
  const list = join(folder, 'list.txt');
  const inner = join(photos, 'a\u0308', 'o\u0308.png');
  await writeFile(list, [inner, inner.normalize('NFC'), join(photos, 'a\u0308', '..', nfc)].join('\n'));
  assert.deepEqual(await update(index, { lists: [list] }), { added: 1, unchanged: 1, encoded: 1 });
  await index.close();
});

test('images are found, taken out and given metadata by every form of their paths', async () => {
  const index = await open();
  await update(index, { images: [photos] });
  const typed = join(photos, nfc).normalize('NFC');
  const shown = join(photos, nfd);
  for (const path of [typed, shown, join(photos, nfc)]) {
    assert.equal((await index.find(path))!.path, shown);
    assert.equal((await index.reference(path)).id, (await index.find(shown))!.id);
  }
  await writeFile(
    join(photos, 'm.csv'),
    `path,gro\u0308\u00dfe,owner\n${nfc},5,Jose\u0301\n\u00e4/\u00f6.png,3,Ada\n`,
  );
  const table = await openMetadata(join(photos, 'm.csv'), { reserved: reservedColumns });
  assert.equal((await index.annotate(table, [])).changed, 2);
  assert.equal((await index.annotate(table, [])).changed, 0);
  const hits = async (where: string) => {
    const query = await compose({ clip, text: 'red' });
    return (await index.search(query, { where })).map(({ path }) => path);
  };
  assert.deepEqual(await hits("gr\u00f6\u00dfe = 5 and owner = 'Jos\u00e9'"), [shown]);
  assert.deepEqual(await hits(`path = '${typed}'`), [shown]);
  assert.deepEqual(await hits(`path = '${shown}'`), [shown]);
  assert.equal(await index.remove([typed, join(photos, 'broken-\u00e9.png')]), 2);
  assert.deepEqual((await brokenOf(index)).size, 0);
  await index.close();
});

test('tables, lists, embeddings and the index itself are found as they are typed', async () => {
  const place = join(folder, 'o\u0302');
  await mkdir(place);
  const typed = (name: string) => join(folder, '\u00f4', name);
  const index = await openIndex(join(place, 'e\u0301.lance'), { access: 'write', clip });
  await writeFile(join(place, 'a\u0308.txt'), join(photos, nfd));
  assert.deepEqual(await update(index, { lists: [typed('\u00e4.txt')] }), { added: 1, encoded: 1 });
  await writeFile(join(place, 'a\u0308.csv'), `path,number\n${join(photos, nfc)},1\n`);
  const table = await openMetadata(typed('\u00e4.csv'), { reserved: reservedColumns });
  assert.equal((await index.annotate(table, [])).changed, 1);
  await index.close();
  const again = await openIndex(typed('\u00e9.lance'), { clip });
  assert.equal((await again.statistics()).images, 1);
  await again.close();
  assert.deepEqual(
    await clip.encodeImages([join(photos, nfc)]),
    await clip.encodeImages([join(photos, nfd)]),
  );
});

test('two files whose names are equivalent are two images, each found as it is written', async (context) => {
  const twins = join(folder, 'twins');
  await mkdir(twins);
  await writePicture(join(twins, nfc), 3);
  await writePicture(join(twins, nfd), 4);
  if ((await readdir(twins)).length < 2) return context.skip('a file system that takes them for one');
  const index = await open();
  assert.deepEqual(await update(index, { images: [twins] }), { added: 2, encoded: 2 });
  assert.deepEqual(await update(index, { images: [twins] }), { unchanged: 2 });
  await writeFile(join(twins, 'm.csv'), `path,number\n${nfc},1\n${nfd},2\n`);
  await index.annotate(await openMetadata(join(twins, 'm.csv'), { reserved: reservedColumns }), []);
  for (const [at, name] of [nfc, nfd].entries()) {
    const picture = (await index.find(join(twins, name)))!;
    assert.deepEqual(
      [picture.path, picture.metadata],
      [join(twins, name), { number: at + 1, ...plainFacts }],
    );
    assert.equal((await index.reference(join(twins, name))).hash, picture.hash);
  }
  await rm(join(twins, nfc));
  assert.deepEqual(await update(index, { images: [twins] }), { removed: 1, unchanged: 1 });
  await writePicture(join(twins, nfc), 3);
  await update(index, { images: [twins] });
  assert.equal(await index.remove([join(twins, nfd)]), 1);
  assert.equal((await index.find(join(twins, nfd)))!.path, join(twins, nfc));
  await index.close();
});

test("shards' members are given back as they are shown, and by img2dataset's keys", async () => {
  const shard = join(folder, '00000.tar');
  await createTar({ file: shard, cwd: photos }, [`./${nfd}`, 'a\u0308']);
  const index = await open();
  await update(index, { images: [shard] });
  for (const path of [`${shard}!/${nfc}`, `${shard}!/${nfd}`, `${shard}!/./${nfc}`]) {
    assert.equal((await index.find(path))!.path, `${shard}!/${nfd}`);
    assert.equal((await index.reference(path)).id, (await index.find(path))!.id);
  }
  await writeFile(
    join(folder, '00000.jsonl'),
    '{"key":"\u00e9","width":7}\n{"key":"\u00e4/\u00f6","width":8}\n',
  );
  const table = await openMetadata(join(folder, '00000.jsonl'), { reserved: reservedColumns });
  assert.equal((await index.annotate(table, [])).changed, 2);
  assert.equal((await index.find(`${shard}!/\u00e4/\u00f6.png`))!.metadata.width, 8);
  await index.close();
});

test('members that an earlier version knew as they stood keep their ids', async () => {
  const shard = join(folder, 'earlier.tar');
  await createTar({ file: shard, cwd: photos }, [`./${nfd}`]);
  for (const refresh of [
    async (uri: string) => await Array.fromAsync(reindex(uri, clip)),
    async (uri: string) => {
      const index = await openIndex(uri, { access: 'write', clip });
      assert.deepEqual(await update(index, { images: [shard] }), { renamed: 1 });
      await index.close();
    },
  ]) {
    const index = await open();
    await update(index, { images: [shard] });
    await index.close();
    const { backend, location } = await backendOf(index.uri);
    const store = await backend.open(location, 'write');
    const [picture] = (await Array.fromAsync(store.images())).flat();
    await store.move([{ ...picture!, path: `${shard}!/./${nfd}` }]);
    await store.close();
    await refresh(index.uri);
    const again = await openIndex(index.uri);
    assert.equal((await again.find(`${shard}!/${nfc}`))!.id, picture!.id);
    assert.equal((await again.find(`${shard}!/./${nfd}`))!.path, `${shard}!/${nfd}`);
    await again.close();
  }
});

test('of members with one name, which an earlier version took for several, the last one stays', async () => {
  const shard = join(folder, 'twice.tar');
  await createTar({ file: shard, cwd: photos }, [nfd]);
  const index = await open();
  await update(index, { images: [shard] });
  await index.close();
  const { backend, location } = await backendOf(index.uri);
  const store = await backend.open(location, 'write');
  const path = `${shard}!/${nfd}`;
  const [picture] = await store.find('path', [path]);
  await store.add([{ ...picture!, id: '0123456789abcdef', hash: 'of an earlier member', metadata: {} }]);
  await store.close();
  const again = await openIndex(index.uri, { access: 'write', clip });
  await update(again, { images: [shard] });
  assert.equal((await again.statistics()).images, 1);
  assert.equal((await again.find(path))!.hash, picture!.hash);
  assert.deepEqual(await update(again, { images: [shard] }), { unchanged: 1 });
  await again.close();
});

test('ready embeddings replace what has an equivalent name', async () => {
  const index = await open();
  const { projection } = clip.visionConfig;
  const add = async (names: readonly string[]) => {
    const rows = normals({ seed: 3, purpose: 'noise', moment: 0, row: 0 }, names.length * projection);
    const file = join(folder, 'features.npy');
    await writeNpy(
      file,
      [names.length, projection],
      (async function* () {
        yield rows;
      })(),
    );
    await writeFile(join(folder, 'names.txt'), names.join('\n'));
    const work = index.addEmbeddings(await openEmbeddings(file, join(folder, 'names.txt')));
    for (;;) {
      const { done, value } = await work.next();
      if (done) return value;
    }
  };
  assert.deepEqual(await add([nfd, 'a']), { added: 2, changed: 0, unchanged: 0 });
  assert.deepEqual(await add([nfc, 'a']), { added: 0, changed: 2, unchanged: 0 });
  assert.equal((await index.find(nfc))!.path, nfd);
  assert.deepEqual(await add([nfc, nfd, 'a']), { added: 1, changed: 2, unchanged: 0 });
  await index.close();
});
