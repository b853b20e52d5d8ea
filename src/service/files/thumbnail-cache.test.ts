/** The cache of thumbnails: found again, within its limits, and whole. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ThumbnailCache } from './thumbnail-cache.ts';

let parent: string;
let count = 0;
before(async () => {
  parent = await mkdtemp(join(tmpdir(), 'lincir-thumbnails-'));
});
after(() => rm(parent, { recursive: true }));
function newFolder(): string {
  count += 1;
  return join(parent, `${count}`);
}

const hashOf = (number: number) => `${number}`.padStart(64, '0');
/** Begins and ends as a JPEG does. */
function jpeg(length: number, fill = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, at) => [0xff, 0xd8][at] ?? [0xd9, 0xff][length - 1 - at] ?? fill);
}
async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => name.includes('.')).sort();
}

describe('a cache of thumbnails', () => {
  test('finds them by contents and side, also in another process', async () => {
    const folder = newFolder();
    const cache = new ThumbnailCache({ folder });
    cache.put(hashOf(1), 320, jpeg(100));
    await cache.settled();
    const other = new ThumbnailCache({ folder });
    assert.deepEqual(await other.get(hashOf(1), 320), jpeg(100));
    assert.equal(await other.get(hashOf(1), 64), undefined);
    assert.equal(await other.get(hashOf(2), 320), undefined);
    assert.deepEqual(await filesIn(folder), [`00/${hashOf(1)}-320.jpg`]);
    assert.equal((await stat(folder)).mode & 0o077, process.platform === 'win32' ? 0o066 : 0);
  });

  test('makes those again whose files are cut short', async () => {
    const folder = newFolder();
    const cache = new ThumbnailCache({ folder });
    cache.put(hashOf(1), 64, jpeg(100));
    cache.put(hashOf(2), 64, jpeg(100));
    await cache.settled();
    const [first, second] = await filesIn(folder);
    await truncate(join(folder, first!), 50);
    await truncate(join(folder, second!), 0);
    const other = new ThumbnailCache({ folder });
    assert.equal(await other.get(hashOf(1), 64), undefined);
    assert.equal(await other.get(hashOf(2), 64), undefined);
  });

  test('forgets the least recently used in memory', async () => {
    const cache = new ThumbnailCache({ memoryBytes: 250 });
    cache.put(hashOf(1), 64, jpeg(100));
    cache.put(hashOf(2), 64, jpeg(100));
    assert.ok(await cache.get(hashOf(1), 64));
    cache.put(hashOf(3), 64, jpeg(100));
    assert.deepEqual(
      await Promise.all([1, 2, 3].map(async (number) => (await cache.get(hashOf(number), 64))?.length)),
      [100, undefined, 100],
    );
    cache.put(hashOf(3), 64, jpeg(251));
    assert.equal(
      await cache.get(hashOf(1), 64),
      undefined,
      'one that is larger than the room leaves nothing',
    );
  });

  test('removes the oldest from a full disk, those of earlier processes included', async () => {
    const folder = newFolder();
    const earlier = new ThumbnailCache({ folder });
    earlier.put(hashOf(1), 64, jpeg(400));
    await earlier.settled();
    const cache = new ThumbnailCache({ folder, diskBytes: 1000 });
    for (const number of [2, 3, 4, 5]) {
      await new Promise((resolve) => setTimeout(resolve, 5)); // files differ in their times
      cache.put(hashOf(number), 64, jpeg(400));
      await cache.settled();
    }
    const sizes = await Promise.all(
      (await filesIn(folder)).map(async (name) => (await stat(join(folder, name))).size),
    );
    assert.ok(sizes.length >= 1 && sizes.length <= 2, `${sizes}`);
    assert.ok((await filesIn(folder)).at(-1)!.includes(hashOf(5)));
  });

  test('keeps in memory what it may not write, and never writes elsewhere', async () => {
    const file = join(parent, 'file');
    await writeFile(file, '');
    const cache = new ThumbnailCache({ folder: join(file, 'cache') });
    cache.put(hashOf(1), 64, jpeg(100));
    const folder = newFolder();
    const hostile = new ThumbnailCache({ folder });
    hostile.put('../../../escaped', 64, jpeg(100));
    await Promise.all([cache.settled(), hostile.settled()]);
    assert.ok(await cache.get(hashOf(1), 64));
    assert.ok(await hostile.get('../../../escaped', 64));
    assert.deepEqual(await readdir(parent).then((names) => names.includes(`${count}`)), false);
  });
});
