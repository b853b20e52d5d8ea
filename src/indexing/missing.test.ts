/** What an index keeps of images that are away for a while: all of it, whatever was away and whenever a process ended. */

import assert from 'node:assert/strict';
import {
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { create as createTar } from 'tar';
import { brokenOf, place as placeIn, update as updateWith, writePicture } from '../../test/pictures.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { openMetadata } from '../pictures/index.ts';
import { backendOf, type KnownImage, reservedColumns, type VectorStore } from '../store/index.ts';
import { ImageIndex, infoFor, openIndex } from './image-index.ts';
import { reindex } from './reindex.ts';
import type { UpdateOptions, UpdateSummary } from './update.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
let clip: Clip;
let folder: string;
before(async () => {
  clip = await loadClip(join(fixtures, 'tiny-clip'));
  folder = await mkdtemp(join(tmpdir(), 'lincir-missing-'));
});
after(async () => {
  await clip.dispose();
  await rm(folder, { recursive: true, force: true });
});

const update = (index: ImageIndex, options: UpdateOptions) => updateWith(index, clip, options);

/** An index in memory of a folder with so many images, all of which have a rating: their number. */
async function rated(count: number, pictures = (photos: string): UpdateOptions => ({ images: [photos] })) {
  const { photos } = await placeIn(folder, count);
  const index = await openIndex('memory:', { access: 'write', clip });
  await update(index, pictures(photos));
  await rate(index, photos, count);
  return { photos, index };
}

async function rate(index: ImageIndex, photos: string, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, number) => `${number % 2 ? 'sub/' : ''}${number}.png`);
  const table = join(photos, 'ratings.csv');
  await writeFile(table, `path,rating\n${names.map((name, number) => `${name},${number}`).join('\n')}\n`);
  await index.annotate(await openMetadata(table, { reserved: reservedColumns }), [photos]);
  await unlink(table);
}

/** Id and rating of an image. */
async function known(index: ImageIndex, path: string) {
  const found = await index.find(path);
  return found && [found.id, found.metadata.rating];
}

/** What came of an update that says that images are away. */
async function away(index: ImageIndex, options: UpdateOptions, message: RegExp) {
  const summaries: UpdateSummary[] = [];
  await assert.rejects(
    async () => {
      for await (const event of index.add(clip, options)) {
        if (event.kind === 'end') summaries.push(event.summary);
      }
    },
    { code: 'not-found', message },
  );
  const { added, removed, kept } = summaries[0]!;
  return { added, removed, kept };
}

describe('a disk that is away', () => {
  test('leaves the index as it was, empty folder or none, and what is new elsewhere goes in', async () => {
    const { photos, index } = await rated(8);
    const other = await placeIn(folder, 0);
    await writePicture(join(other.photos, 'new.png'), 50);
    const whole = await known(index, join(photos, '0.png'));
    const part = await known(index, join(photos, 'sub/1.png'));
    const aside = `${photos}-aside`;

    await rename(photos, aside);
    await assert.rejects(update(index, { images: [photos] }), /no such file or folder/);
    await mkdir(photos);
    const both = { images: [photos, other.photos] };
    const message = new RegExp(
      `${basename(photos)}: expected most of .*\\(8\\), found 0 that can be read.*removeMissing`,
    );
    assert.deepEqual(await away(index, both, message), { added: 1, removed: 0, kept: 8 });
    assert.deepEqual(await update(index, { images: [other.photos] }), { unchanged: 1 });
    await rm(photos, { recursive: true });
    await rename(aside, photos);
    assert.deepEqual(await update(index, both), { unchanged: 9 });
    assert.deepEqual(await known(index, join(photos, '0.png')), whole);

    // A mount below that is gone with its folder; one that left its folder, of two images; half of all.
    await rename(join(photos, 'sub'), aside);
    await unlink(join(photos, '0.png'));
    const below = await away(index, { images: [photos] }, /sub: expected .*\(4\), found 0/);
    assert.deepEqual(below, { added: 0, removed: 1, kept: 4 });
    await mkdir(join(photos, 'sub'));
    assert.equal((await away(index, { images: [photos] }, /sub: expected/)).kept, 4);
    await rm(join(photos, 'sub'), { recursive: true });
    await rename(aside, join(photos, 'sub'));
    assert.deepEqual(await update(index, { images: [photos] }), { unchanged: 7 });
    assert.deepEqual(await known(index, join(photos, 'sub/1.png')), part);
    await index.close();
  });

  test('is told from few images that were deleted, moved or left out', async () => {
    const { photos, index } = await rated(16);
    for (const name of ['0.png', 'sub/1.png', '2.png']) await unlink(join(photos, name));
    assert.deepEqual(await update(index, { images: [photos] }), { removed: 3, unchanged: 13 });
    const [id] = (await known(index, join(photos, 'sub/3.png')))!;
    await rename(join(photos, 'sub'), join(photos, 'under'));
    assert.deepEqual(await update(index, { images: [photos] }), { renamed: 7, unchanged: 6 });
    assert.equal((await known(index, join(photos, 'under/3.png')))![0], id);
    assert.deepEqual(await update(index, { images: [photos], exclude: ['under'] }), {
      removed: 7,
      unchanged: 6,
    });
    assert.deepEqual(await update(index, { images: [photos] }), { added: 7, unchanged: 6, encoded: 7 });
    assert.deepEqual(await known(index, join(photos, 'under/3.png')), [id, 3]);
    await mkdir(join(photos, 'card'));
    for (const number of [90, 91]) await writePicture(join(photos, 'card', `${number}.png`), number);
    await update(index, { images: [photos] });
    await rm(join(photos, 'card'), { recursive: true });
    assert.deepEqual(await update(index, { images: [photos] }), { removed: 2, unchanged: 13 });
    for (const name of ['4.png', '6.png', '8.png', '10.png', '12.png']) await unlink(join(photos, name));
    await unlink(join(photos, 'under/3.png'));
    await unlink(join(photos, 'under/5.png'));
    assert.equal((await away(index, { images: [photos] }, /\(13\), found 6 that/)).kept, 7);
    await index.close();
  });

  test('may be one whose files are there and cannot be read, or a shard, or what a list names', async () => {
    const { photos, index } = await rated(4);
    const pictures = ['0.png', '2.png', 'sub/1.png', 'sub/3.png'].map((name) => join(photos, name));
    const contents = await Promise.all(pictures.map((path) => readFile(path)));
    for (const path of pictures) await truncate(path, 60);
    const message = /found 0 that can be read \("\d\.png": expected a whole image/;
    assert.equal((await away(index, { images: [photos] }, message)).kept, 4);
    assert.equal((await brokenOf(index)).size, 0);
    for (const [at, path] of pictures.entries()) await writeFile(path, contents[at]!);
    assert.deepEqual(await update(index, { images: [photos] }), { unchanged: 4 });

    const shard = join(photos, 'shard.tar');
    await createTar({ file: shard, cwd: photos }, ['0.png', '2.png', 'sub']);
    await writeFile(join(photos, 'text.txt'), 'no image');
    await update(index, { images: [shard] });
    const whole = await readFile(shard);
    await createTar({ file: shard, cwd: photos }, ['text.txt']);
    assert.equal((await away(index, { images: [shard] }, /shard\.tar!: expected/)).kept, 4);
    await writeFile(shard, whole);
    assert.deepEqual(await update(index, { images: [shard] }), { unchanged: 4 });

    await writeFile(join(folder, 'list.txt'), pictures.join('\n'));
    await rename(photos, `${photos}-aside`);
    const lists = { lists: [join(folder, 'list.txt')] };
    assert.equal((await away(index, lists, /expected most .*\(4\), found 0/)).kept, 4);
    await rename(`${photos}-aside`, photos);
    assert.deepEqual(await update(index, lists), { unchanged: 4 });
    assert.equal((await brokenOf(index)).size, 0);
    await index.close();
  });

  test('is believed to be gone when that is said, and even then it can come back for a time', async () => {
    const { photos, index } = await rated(5);
    const before = await known(index, join(photos, '2.png'));
    await rename(photos, `${photos}-aside`);
    await mkdir(photos);
    const options = { images: [photos], removeMissing: true };
    assert.deepEqual(await update(index, options), { removed: 5 });
    const { images, missing } = await index.statistics();
    assert.deepEqual([images, missing], [0, 5]);
    await cp(`${photos}-aside`, photos, { recursive: true });
    await rename(join(photos, '2.png'), join(photos, 'two.png'));
    assert.deepEqual(await update(index, options), { added: 5, encoded: 5 });
    assert.deepEqual(await known(index, join(photos, 'two.png')), before);
    assert.equal((await index.statistics()).missing, 0);

    await rename(photos, `${photos}-elsewhere`);
    await assert.rejects(update(index, { images: [photos] }), /no such file or folder/);
    await assert.rejects(update(index, { ...options, images: [`${photos}x`] }), /no such file or folder/);
    assert.deepEqual(await update(index, options), { removed: 5 });
    await index.close();
  });
});

describe('an image that is gone or broken for a while', () => {
  test('comes back with its id and metadata, in whatever way', async () => {
    const { photos, index } = await rated(8);
    const at = (name: string) => join(photos, name);
    const before = new Map<string, unknown>();
    for (const name of ['0.png', '2.png', 'sub/1.png']) before.set(name, await known(index, at(name)));
    const contents = await readFile(at('0.png'));
    await truncate(at('0.png'), 70);
    await unlink(at('2.png'));
    await rename(at('sub/1.png'), join(folder, 'one.png'));
    assert.deepEqual(await update(index, { images: [photos] }), { removed: 2, broken: 1, unchanged: 5 });
    assert.deepEqual([...(await brokenOf(index)).keys()], ['0.png']);
    assert.equal(await known(index, at('0.png')), undefined);
    assert.deepEqual(await update(index, { images: [photos] }), { unchanged: 5 });
    await writeFile(at('0.png'), contents); // as it was
    await writePicture(at('2.png'), 77); // another one under its name
    await rename(join(folder, 'one.png'), at('once.png')); // under another name
    await cp(at('once.png'), at('twice.png'));
    assert.deepEqual(await update(index, { images: [photos] }), { added: 4, unchanged: 5, encoded: 4 });
    assert.deepEqual(await known(index, at('0.png')), before.get('0.png'));
    assert.deepEqual(await known(index, at('2.png')), before.get('2.png'));
    assert.deepEqual(await known(index, at('once.png')), before.get('sub/1.png'));
    const [id, rating] = (await known(index, at('twice.png')))!;
    assert.notEqual(id, (before.get('sub/1.png') as unknown[])[0]);
    assert.equal(rating, null);
    const { missing, broken } = await index.statistics();
    assert.deepEqual([missing, broken], [0, 0]);
    await index.close();
  });

  test('is forgotten when its time is over, or when it is taken out by name', async () => {
    const { photos, index } = await rated(8);
    const path = join(photos, '0.png');
    const contents = await readFile(path);
    for (const forget of [
      async () => void (await update(index, { images: [photos], keepMissingDays: 0 })),
      async () => assert.equal(await index.remove([path]), 1),
    ]) {
      await rate(index, photos, 8);
      const before = await known(index, path);
      assert.equal(before![1], 0);
      await unlink(path);
      await update(index, { images: [photos] });
      assert.equal((await index.statistics()).missing, 1);
      await forget();
      assert.equal((await index.statistics()).missing, 0);
      await writeFile(path, contents);
      await update(index, { images: [photos] });
      assert.deepEqual(await known(index, path), [before![0], null]);
    }
    await index.close();
  });

  test('keeps them through a rebuild', async () => {
    const { photos, uri } = await placeIn(folder, 8);
    const index = await openIndex(uri, { access: 'write', clip });
    await update(index, { images: [photos] });
    await rate(index, photos, 8);
    const paths = ['0.png', '2.png', 'sub/1.png'].map((name) => join(photos, name));
    const before = await Promise.all(paths.map((path) => known(index, path)));
    const contents = await Promise.all(paths.map((path) => readFile(path)));
    await truncate(paths[0]!, 70);
    await unlink(paths[1]!);
    await update(index, { images: [photos] });
    await index.close();
    await writeFile(paths[0]!, contents[0]!); // mended before the rebuild
    await unlink(paths[2]!); // gone when it begins
    await Array.fromAsync(reindex(uri, clip, { precision: 'float16' }));
    const rebuilt = await openIndex(uri, { access: 'write', clip });
    assert.equal((await rebuilt.statistics()).missing, 2);
    assert.deepEqual(await known(rebuilt, paths[0]!), before[0]);
    for (const [at, path] of paths.entries()) await writeFile(path, contents[at]!);
    await update(rebuilt, { images: [photos] });
    assert.deepEqual(await Promise.all(paths.map((path) => known(rebuilt, path))), before);
    assert.equal((await rebuilt.statistics()).missing, 0);
    await rebuilt.close();
  });

  test('is lost or doubled by no end of a process between two writes', async () => {
    const writes = [
      'add',
      'replace',
      'move',
      'remove',
      'addBroken',
      'removeBroken',
      'addMissing',
      'removeMissing',
    ];
    const { backend } = await backendOf('memory:');
    for (let last = 0, ended = true; ended; last += 1) {
      const store = await backend.create('memory:', infoFor(clip));
      let left = Number.POSITIVE_INFINITY;
      const failing: VectorStore = new Proxy(store, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== 'function') return value;
          return (...values: unknown[]) => {
            const isWrite = writes.includes(String(name)) && (values[0] as unknown[]).length > 0;
            if (isWrite && left === 0) throw new Error('the process ends');
            if (isWrite) left -= 1;
            return value.apply(target, values);
          };
        },
      });
      const index = new ImageIndex('memory:', failing);
      const { photos } = await placeIn(folder, 8);
      const all = async () => {
        const found: KnownImage[] = [];
        for (const path of await photosIn(store)) found.push(...(await store.find('path', [path])));
        return new Map(found.map(({ id, path, metadata }) => [id, [path, metadata.rating]]));
      };
      await update(index, { images: [photos] });
      await rate(index, photos, 8);
      const before = await all();
      const contents = await readFile(join(photos, '0.png'));
      await truncate(join(photos, '0.png'), 70);
      await rename(join(photos, '2.png'), join(photos, 'zwei.png'));
      await rename(join(photos, 'sub/1.png'), join(folder, 'aside.png'));
      await writePicture(join(photos, '4.png'), 104);
      ended = false;
      left = last;
      const step = async () => {
        await update(index, { images: [photos] }).catch(() => {
          ended = true;
          left = Number.POSITIVE_INFINITY;
        });
      };
      await step();
      await writeFile(join(photos, '0.png'), contents);
      await rename(join(folder, 'aside.png'), join(photos, 'sub/1.png'));
      await step();
      if (ended) await step();
      const expected = [...before].map(([id, [path, rating]]) => [
        id,
        [String(path).replace(/2\.png$/, 'zwei.png'), rating],
      ]);
      assert.deepEqual([...(await all())].sort(), expected.sort(), `after ${last} writes`);
      const { missing, broken } = await store.statistics();
      assert.deepEqual([missing, broken], [0, 0], `after ${last} writes`);
      await rm(photos, { recursive: true });
      assert.ok(last < 40, 'it never ends');
    }
  });
});

async function photosIn(store: VectorStore): Promise<string[]> {
  return (await Array.fromAsync(store.images())).flat().map(({ path }) => path);
}

test('a broken file is tried again whose size and time were kept, as after a copy from a backup', async () => {
  const { photos, uri } = await placeIn(folder, 5);
  const path = join(photos, '0.png');
  const sound = await readFile(path);
  const put = async (bytes: Uint8Array) => {
    await writeFile(path, bytes);
    await utimes(path, 1_700_000_000, 1_700_000_000);
  };
  await put(sound);
  const index = await openIndex(uri, { access: 'write', clip });
  await update(index, { images: [photos] });
  const before = await known(index, path);
  await put(Buffer.alloc(sound.length));
  assert.deepEqual(await update(index, { images: [photos] }), { unchanged: 4, broken: 1 });
  assert.deepEqual(await update(index, { images: [photos] }), { unchanged: 4 });
  await put(sound);
  assert.deepEqual(await update(index, { images: [photos] }), { added: 1, unchanged: 4, encoded: 1 });
  assert.deepEqual(await known(index, path), before);
  assert.equal((await brokenOf(index)).size, 0);
  await index.close();
});
