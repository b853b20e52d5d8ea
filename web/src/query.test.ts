/** What changes of a query do to its images, and to the words that name them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addImages,
  emptyQuery,
  moveImage,
  type Query,
  removeImage,
  startFrom,
  toRequest,
  unnamedImages,
  withNames,
} from './query.ts';

const [a, b, c] = ['a', 'b', 'c'].map((letter) => ({ id: letter.repeat(16) })) as [
  { id: string },
  { id: string },
  { id: string },
];
const query = (part: Partial<Query>): Query => ({ ...emptyQuery, ...part });

test('an image is added once, and "more" and "less" exclude each other', () => {
  const two = addImages(query({ images: [a] }), 'images', [a, b, b]);
  assert.deepEqual(two.images, [a, b]);
  const more = addImages(query({ less: [a, b] }), 'more', [a]);
  assert.deepEqual([more.more, more.less], [[a], [b]]);
  const upload = { upload: 'u'.repeat(16) };
  assert.deepEqual(addImages(query({ images: [upload] }), 'images', [{ ...upload }]).images, [upload]);
});

test('a query keeps sixteen images at most', () => {
  const many = Array.from({ length: 20 }, (_, at) => ({ id: at.toString(16).padStart(16, '0') }));
  assert.equal(addImages(emptyQuery, 'images', many).images.length, 16);
});

test('words go on naming their images when one is removed or moved', () => {
  const three = query({ images: [a, b, c], text: '$1 on $2 by $3 for $5.50 and \\$3' });
  const two = removeImage(three, 'images', 0);
  assert.equal(two.text, '$1 on $1 by $2 for $5.50 and \\$3');
  const moved = moveImage(three, 2, 0);
  assert.deepEqual(moved.images, [c, a, b]);
  assert.equal(moved.text, '$2 on $3 by $1 for $5.50 and \\$3');
  assert.equal(moveImage(three, 0, 3), three);
  assert.equal(moveImage(three, 0, -1), three);
});

test('a new reference keeps the words, unless they name other images', () => {
  const from = query({ images: [a], text: 'but at night', more: [b], filter: 'rating > 3' });
  assert.deepEqual(startFrom(from, c), { ...from, images: [c], more: [] });
  assert.equal(startFrom(query({ images: [a, b], text: '$1 on $2' }), c).text, '');
});

test('several images want names in the words', () => {
  const two = query({ images: [a, b], text: 'at night' });
  assert.deepEqual(unnamedImages(two), [1, 2]);
  assert.equal(withNames(two), '$1 at night, with $2');
  assert.equal(withNames({ ...two, text: 'the dog of $1' }), 'the dog of $1 with $2');
  assert.deepEqual(unnamedImages({ ...two, text: '$2 on $1' }), []);
  assert.deepEqual(unnamedImages({ ...two, method: 'sum' }), []);
  assert.deepEqual(unnamedImages({ ...two, images: [a] }), []);
});

test('a request says only what the query says', () => {
  const fields = ['path', 'folder', 'metadata'];
  assert.deepEqual(toRequest(query({ text: ' a heart ', method: 'sum', weight: 2 }), 4, 1), {
    text: 'a heart',
    fields,
  });
  assert.deepEqual(
    toRequest(query({ images: [a], text: 'red', minScore: 0, unique: true, index: 'x' }), 4, 1, 'sum'),
    { index: 'x', images: [a], text: 'red', method: 'sum', minScore: 0, unique: true, fields },
  );
});

test('without words and images, the order is one by chance that stays', () => {
  const request = toRequest(query({ filter: 'rating > 3', minScore: 0.5 }), 64, 7);
  assert.equal(request.vector?.length, 64);
  assert.equal(request.minScore, undefined);
  assert.ok(Math.hypot(...request.vector!) > 1);
  assert.deepEqual(request, toRequest(query({ filter: 'rating > 3' }), 64, 7));
  assert.notDeepEqual(request.vector, toRequest(emptyQuery, 64, 8).vector);
});
