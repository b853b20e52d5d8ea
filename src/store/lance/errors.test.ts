/** What LanceDB's failures say to do. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineError } from './errors.ts';

test('advice to rebuild an index names it, and other failures keep their own words', () => {
  const messageOf = (text: string) => `${engineError(new Error(text), 'my.lance', 'read')}`;
  assert.match(
    messageOf('lance error: Not found: data/1.lance'),
    /rebuild it with `reindex\('my\.lance'\)`$/,
  );
  assert.match(
    messageOf('the "x" is odd'),
    /found the "x" is odd; run the command again: what was committed/,
  );
});
