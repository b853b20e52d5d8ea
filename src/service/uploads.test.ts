/** Uploads are kept in bounded memory, the ones in use longest. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Uploads } from './uploads.ts';

const image = (name: string) => ({
  ...{ name, hash: 'h', fingerprint: 'f', embedding: new Float32Array(100) },
  thumbnail: new Uint8Array(1000),
});

test('forgets what was not used for longest', () => {
  const uploads = new Uploads(3 * 2000);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => uploads.add(image(name))) as [string, string, string];
  assert.equal(uploads.get(a).name, 'a');
  const d = uploads.add(image('d'));
  assert.deepEqual(
    [a, c, d].map((handle) => uploads.get(handle).name),
    ['a', 'c', 'd'],
  );
  assert.throws(() => uploads.get(b), { code: 'not-found', message: /upload the image again/ });
  assert.match(a, /^[\w-]{24}$/);
  assert.equal(new Set([a, b, c, d]).size, 4);
});

test('keeps one that is larger than the room, until the next comes', () => {
  const uploads = new Uploads(10);
  const a = uploads.add(image('a'));
  assert.equal(uploads.get(a).name, 'a');
  const b = uploads.add(image('b'));
  assert.throws(() => uploads.get(a), { code: 'not-found' });
  assert.equal(uploads.get(b).name, 'b');
});
