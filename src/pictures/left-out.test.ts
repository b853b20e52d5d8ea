/** What of a folder is left out. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exclusion } from './left-out.ts';

test('what systems keep for themselves, and what patterns match, however they are typed', () => {
  const isLeftOut = exclusion(['./sub/', '*.gif', 'a/b', '\u00e9']);
  for (const below of ['sub', 'x/a.gif', 'a/b', 'x/e\u0301', '$Recycle.Bin', '#snapshot', 'lost+found'])
    assert.ok(isLeftOut(below), below);
  for (const below of ['subs', 'x/sub', 'x/a/b', 'gif', 'snapshot']) assert.ok(!isLeftOut(below), below);
});
