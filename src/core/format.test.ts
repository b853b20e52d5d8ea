/** Counts as people say them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCounted } from './format.ts';

test('one is singular, and none is not', () => {
  assert.equal(formatCounted(1, 'images'), '1 image');
  assert.equal(formatCounted(1, 'queries'), '1 query');
  assert.equal(formatCounted(0, 'images'), '0 images');
  assert.equal(formatCounted(1234, 'queries'), '1,234 queries');
});
