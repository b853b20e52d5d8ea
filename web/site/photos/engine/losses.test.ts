/** No picture leaves an index because a disk is not there. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeLosses } from './losses.ts';

const pictures = (folder: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${folder}/${at}.jpg`);
const nowhere = () => false;

test('a few pictures of many leave', () => {
  const known = pictures('Photos/2024', 10);
  assert.deepEqual(judgeLosses(known, known.slice(0, 3), nowhere), { gone: known.slice(0, 3), away: [] });
});

test('all pictures of the folder itself stay, even a single one', () => {
  const known = ['Card/one.jpg'];
  assert.deepEqual(judgeLosses(known, known, nowhere), { gone: [], away: known });
});

test('all pictures of a folder below stay if they are many, or if it is empty now', () => {
  const disk = pictures('Photos/disk', 4);
  const small = pictures('Photos/small', 2);
  const others = pictures('Photos/home', 100);
  const known = [...disk, ...small, ...others];
  assert.deepEqual(judgeLosses(known, [...disk, ...small], nowhere), { gone: small, away: disk });
  const isEmpty = (folder: string) => folder === 'Photos/small';
  assert.deepEqual(judgeLosses(known, [...disk, ...small], isEmpty).gone, []);
});

test('half of the pictures stay, wherever they were', () => {
  const known = pictures('Photos/a', 5).concat(pictures('Photos/b', 5));
  const lost = [...known.slice(0, 3), ...known.slice(5, 8)];
  assert.deepEqual(judgeLosses(known, lost, nowhere), { gone: [], away: lost });
});
