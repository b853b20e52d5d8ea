/** That folded forms are the same exactly where a filter that ignores case finds no difference. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameKey } from '../../core/index.ts';
import { foldedCase } from './fold.ts';

test('folds the characters together that differ only in case, and no others', () => {
  const cased = Array.from({ length: 0x11_00_00 }, (_, point) => point)
    .filter((point) => point < 0xd8_00 || point >= 0xe0_00)
    .map((point) => String.fromCodePoint(point))
    .filter((character) => nameKey(character) === character)
    .filter((character) => character.toUpperCase() !== character || character.toLowerCase() !== character);
  const all = cased.join('');
  const groups = Map.groupBy(cased, foldedCase);
  assert.ok(groups.size > 1000 && groups.size < cased.length);
  for (const group of groups.values()) {
    const alike = all.match(new RegExp(group[0]!, 'giu'));
    assert.deepEqual(alike, group);
  }
});

test('folds texts character by character', () => {
  assert.equal(foldedCase('ÉTÉ 2024/Straße K\u212a ſ'), 'été 2024/straße kk s');
  assert.equal(foldedCase('İstanbul ı'), 'İstanbul ı');
});
