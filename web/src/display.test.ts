/** Names from data show all that is in them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IndexedImage } from '../../src/api/index.ts';
import { bytes, fileName, proportionsOf, visible } from './display.ts';

test('what is invisible or reverses text is spelt out', () => {
  assert.equal(visible('a\u202egpj.exe\n\u0000\u200b'), 'a[U+202E]gpj.exe[U+000A][U+0000][U+200B]');
  assert.equal(visible('\u{e0041}\u2028\u00ad\ufeff'), '[U+E0041][U+2028][U+00AD][U+FEFF]');
  const plain = '<b>é 日本 🥊 👩\u200d🚀 می\u200cخواهم</b>';
  assert.equal(visible(plain), plain);
});

test('the name is what follows the last folder', () => {
  assert.equal(fileName('/a/b.tar!/c.jpg'), 'c.jpg');
  assert.equal(fileName('c:\\pictures\\d.jpg'), 'd.jpg');
  assert.equal(fileName('e.jpg'), 'e.jpg');
});

test('an image of unknown size is square', () => {
  assert.equal(proportionsOf({ id: 'a', metadata: { width: 300, height: 200 } }), 1.5);
  const unknown: (IndexedImage['metadata'] & object)[] = [
    {},
    { width: 300, height: 0 },
    { width: '300', height: 2 },
  ];
  for (const metadata of unknown) assert.equal(proportionsOf({ id: 'a', metadata }), 1);
  assert.equal(proportionsOf({ id: 'a' }), 1);
});

test('sizes are read as people write them', () => {
  assert.deepEqual([0, 999, 1500, 2_340_000, 5e12].map(bytes), [
    '0 bytes',
    '999 bytes',
    '1.5 kB',
    '2.3 MB',
    '5,000 GB',
  ]);
});
