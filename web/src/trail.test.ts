/** Undo and redo along the browser's history, and earlier searches. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyQuery } from './query.ts';
import { readSearches, remember, writeSearches } from './recent.ts';
import { advance, canRedo, canUndo, readEntry, start, travel } from './trail.ts';

test('undo goes back to the first query, redo to the last', () => {
  assert.ok(!canUndo(start) && !canRedo(start));
  const second = advance(advance(start));
  assert.ok(canUndo(second) && !canRedo(second));
  const first = travel(second, 0);
  assert.ok(!canUndo(first) && canRedo(first));
  assert.ok(!canRedo(travel(first, 2)));
});

test('a new query after undo leaves nothing to redo', () => {
  const undone = travel(advance(advance(start)), 1);
  assert.ok(canRedo(undone));
  assert.deepEqual(advance(undone), { position: 2, furthest: 2 });
});

test('an entry of the history may be anything', () => {
  const first = { position: 0, scroll: 0, loaded: 0, view: undefined };
  for (const state of [null, undefined, 'x', 4, {}, { position: -1, scroll: 'x', view: 3 }])
    assert.deepEqual(readEntry(state), first);
  const entry = { position: 3, scroll: 1200, loaded: 560, view: 'a' };
  assert.deepEqual(readEntry(entry), entry);
});

test('a search is remembered once, the latest first', () => {
  const [red, blue] = ['red', 'blue'].map((text) => ({ ...emptyQuery, text })) as [
    typeof emptyQuery,
    typeof emptyQuery,
  ];
  const searches = remember(remember(remember([], red, 1), blue, 2), red, 3);
  assert.deepEqual(searches, [
    { address: '?q=red', at: 3 },
    { address: '?q=blue', at: 2 },
  ]);
  assert.deepEqual(remember(searches, emptyQuery, 4), searches);
  let many = searches;
  for (let at = 0; at < 100; at++) many = remember(many, { ...emptyQuery, text: `${at}` }, at);
  assert.equal(many.length, 50);

  const kept = new Map<string, string>();
  writeSearches({ setItem: (key, value) => void kept.set(key, value) }, searches);
  assert.deepEqual(readSearches({ getItem: (key) => kept.get(key) ?? null }), searches);
});

test('a storage that is broken, full or not ours costs the history only', () => {
  for (const stored of ['{', '3', '[1, {"address": 4}, {"address": "?x=1", "at": 1}]', null])
    assert.deepEqual(readSearches({ getItem: () => stored }), []);
  const refuses = () => {
    throw new Error('quota');
  };
  assert.deepEqual(readSearches({ getItem: refuses }), []);
  writeSearches({ setItem: refuses }, []);
});
