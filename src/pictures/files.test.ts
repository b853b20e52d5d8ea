/** Images' bytes, read as they were at one moment, and names as an index has them. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { create as createTar } from 'tar';
import { indexedBytes, readImage } from './bytes.ts';
import { imageFile, walkImages } from './files.ts';
import { splitPath } from './names.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-files-'));
});
after(() => rm(folder, { recursive: true }));

describe('bytes of an image', () => {
  test('come with the facts that held while they were read', async () => {
    const path = join(folder, 'a.png');
    await writeFile(path, 'some bytes');
    const found = await imageFile(path);
    const { bytes, size, modified } = await readImage(found);
    assert.equal(Buffer.from(bytes).toString(), 'some bytes');
    assert.deepEqual([size, modified], [10, (await stat(path)).mtimeMs]);
  });

  test('are those of a file that changed since it was found, with its new facts', async () => {
    const path = join(folder, 'b.png');
    await writeFile(path, 'before');
    const found = await imageFile(path);
    await writeFile(path, 'and after');
    await utimes(path, 100, 100);
    const { bytes, size, modified } = await readImage(found);
    assert.deepEqual([Buffer.from(bytes).toString(), size, modified], ['and after', 9, 100_000]);
  });

  test('are refused of one that goes on changing, is gone or empty', async () => {
    const path = join(folder, 'c.png');
    await writeFile(path, 'x'.repeat(100));
    const found = await imageFile(path);
    let number = 0;
    const writing = setInterval(() => {
      number += 1;
      void utimes(path, number, number);
    }, 1);
    try {
      // Every one of some tries meets a change: found facts are never those of the file.
      const stale = { ...found, modified: -1 };
      await assert.rejects(async () => {
        for (let trial = 0; trial < 50; trial += 1) await readImage(stale);
      }, /c\.png: expected a file that does not change while it is read, found one that changes/);
    } finally {
      clearInterval(writing);
    }
    await rm(path);
    await assert.rejects(readImage(found), { code: 'not-found' });
    await writeFile(path, '');
    await assert.rejects(readImage(await imageFile(path)), /found an empty file/);
    await assert.rejects(imageFile(folder), /expected a file, found a folder/);
  });

  test('of a shard are found by the path that an index has', async () => {
    await writeFile(join(folder, 'in.png'), 'inside');
    const shard = join(folder, 's.tar');
    await createTar({ file: shard, cwd: folder }, ['in.png']);
    assert.equal(Buffer.from(await indexedBytes(`${shard}!/in.png`)).toString(), 'inside');
    assert.equal(Buffer.from(await indexedBytes(join(folder, 'in.png'))).toString(), 'inside');
    await assert.rejects(indexedBytes(`${shard}!/out.png`), /expected it in the shard, found no such member/);
    assert.deepEqual(splitPath('/a!/b.png'), ['/a!/b.png', undefined]);
    assert.deepEqual(splitPath('/a.tar!/b!/c.png'), ['/a.tar', 'b!/c.png']);
  });
});

test('a walk ends when it is told to', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  const walk = walkImages(folder, { onUnreadable: () => {}, signal });
  await assert.rejects(Array.fromAsync(walk), /enough/);
});
