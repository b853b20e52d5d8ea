/** Recall of one right answer, at its place, beyond and without it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recallNames, recalls } from './measures.ts';

test('recall is 1 from the place of the right answer on', () => {
  assert.deepEqual(recallNames([1, 5]), ['R@1', 'R@5']);
  assert.deepEqual(recallNames([1], 'subset '), ['subset R@1']);
  assert.deepEqual(recalls([1, 2, 3], 'b', ['a', 'b', 'c']), { 'R@1': 0, 'R@2': 1, 'R@3': 1 });
  assert.deepEqual(recalls([1], 'a', ['a'], 'subset '), { 'subset R@1': 1 });
  assert.deepEqual(recalls([1, 50], 'd', ['a', 'b', 'c']), { 'R@1': 0, 'R@50': 0 });
  assert.deepEqual(recalls([1, 50], 'd', undefined), { 'R@1': 0, 'R@50': 0 });
});
