/** Ids for new images. */

import assert from 'node:assert/strict';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writePicture } from '../../test/pictures.ts';
import { all, create, picture } from '../../test/stores.ts';
import { loadClip } from '../clip/index.ts';
import { isId } from '../core/index.ts';
import { indexPath } from '../pictures/index.ts';
import { idOf, newIds } from './new-ids.ts';
import { updateIndex } from './update.ts';

test("an id is a hash of the path, and another one where that is another image's", async () => {
  const store = await create('memory:');
  const [a, b, c, d] = ['/a.png', '/b.png', '/c.png', '/d.png'] as const;
  await store.add([picture(1, { id: idOf(a), path: '/renamed.png' }), picture(2, { id: idOf(d), path: d })]);
  await store.addMissing([{ id: idOf(b), path: '/gone.png', hash: 'h', since: 1, metadata: {} }]);
  await store.addMissing([{ id: idOf(b, 1), path: '/too.png', hash: 'h', since: 1, metadata: {} }]);
  const ids = await newIds([store], [a, b, c, d]);
  assert.deepEqual([...ids].sort(), [
    [a, idOf(a, 1)],
    [b, idOf(b, 2)],
    [c, idOf(c)],
    [d, idOf(d)],
  ]);
  assert.equal(idOf(c), '26457ab99c3019611ee10e93');
  for (const id of [...ids.values(), '0123456789abcdef']) assert.ok(isId(id));
  for (const text of ['', '0123456789ABCDEF', '0123456789abcdef0', `${idOf(a)}00`]) assert.ok(!isId(text));
});

test('images keep the random ids of an earlier version, when they change and when they are renamed', async () => {
  const clip = await loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
  const folder = await mkdtemp(join(tmpdir(), 'lincir-ids-'));
  const pathOf = (name: string) => indexPath(join(folder, name));
  const store = await create('memory:');
  const idsAfter = async () => {
    for await (const _ of updateIndex(store, clip, { images: [folder] }));
    return new Map((await all(store)).map(({ path, id }) => [path, id]));
  };
  try {
    for (const at of [1, 2, 3]) await writePicture(join(folder, `${at}.png`), at);
    const made = (await idsAfter()).size;
    assert.equal(made, 3);
    const old = '0123456789abcdef';
    const [first] = await store.find('path', [pathOf('1.png')]);
    await store.remove([first!.id]);
    await store.add([{ ...first!, id: old }]);
    await writePicture(join(folder, '1.png'), 10);
    assert.equal((await idsAfter()).get(pathOf('1.png')), old);
    await rename(join(folder, '1.png'), join(folder, '4.png'));
    await rename(join(folder, '2.png'), join(folder, '1.png'));
    const ids = await idsAfter();
    assert.deepEqual([...ids].sort(), [
      [pathOf('1.png'), old],
      [pathOf('3.png'), idOf(pathOf('3.png'))],
      [pathOf('4.png'), idOf(pathOf('4.png'))],
    ]);
  } finally {
    await clip.dispose();
    await rm(folder, { recursive: true });
  }
});
