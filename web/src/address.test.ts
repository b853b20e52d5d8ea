/** Queries in addresses: there and back, and whatever an address may hold. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromAddress, toAddress } from './address.ts';
import { emptyQuery, type Query } from './query.ts';

test('a query comes back from its address', () => {
  const queries: Query[] = [
    emptyQuery,
    { ...emptyQuery, text: 'the dog of $1 & $2 + 100 % “ü” \u202e', unique: true, minScore: 0 },
    {
      index: 'my.photos-2',
      images: [{ id: '0123456789abcdef' }, { upload: 'AbC_-0123456789xyz' }],
      text: 'at night',
      without: 'people',
      withoutWeight: 0.75,
      method: 'slerp',
      weight: 0.2,
      more: [{ id: 'f'.repeat(16) }],
      less: [{ upload: 'a'.repeat(16) }],
      filter: "camera = 'It''s' and rating >= 4",
      minScore: -0.25,
      unique: false,
    },
  ];
  for (const query of queries) assert.deepEqual({ ...fromAddress(toAddress(query)) }, query);
  assert.equal(toAddress(emptyQuery), '');
});

test('an upload whose handle looks like an id stays an upload', () => {
  const query = { ...emptyQuery, images: [{ upload: 'a'.repeat(16) }] };
  assert.deepEqual(fromAddress(toAddress(query)).images, query.images);
});

test('what an address should not hold counts as absent', () => {
  const query = fromAddress(
    '?image=../../etc/passwd&image=javascript:1&more=upload:x&min=high&weight=&unique=yes&x=1',
  );
  assert.deepEqual({ ...query }, emptyQuery);
  const many = fromAddress(`?${'image=0123456789abcdef&'.repeat(100)}`);
  assert.equal(many.images.length, 16);
});
