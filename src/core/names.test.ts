/** Names in Unicode's forms: what they are compared by. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasForms, nameKey } from './names.ts';

test('equivalent names have one key, and names of one form need no look', () => {
  assert.equal(nameKey('e\u0301'), nameKey('\u00e9'));
  assert.notEqual(nameKey('e'), nameKey('\u00e9'));
  for (const name of ['\u00e9', 'e\u0301', '\uac00', '\u1100\u1161', '\u212b'])
    assert.ok(hasForms(name), name);
  for (const name of ['a.png', '/x_y/J-L (1)~{2}.jpg', '']) assert.ok(!hasForms(name), name);
});

test('whatever has another form is known to have one', () => {
  for (let code = 0; code < 0x30000; code += 1) {
    if (code >= 0xd800 && code < 0xe000) continue; // halves of characters
    const character = String.fromCodePoint(code);
    const key = nameKey(character);
    if (key !== character) assert.ok(hasForms(key) && hasForms(character), code.toString(16));
  }
});
