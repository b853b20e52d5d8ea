/** Ids for new images. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, picture } from '../../test/stores.ts';
import { isId } from '../core/index.ts';
import { idOf, newIds } from './new-ids.ts';

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
