/** Keywords of captions, easy and hard: what is found, exactly where, and that nothing else has a say in it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence } from '../core/index.ts';
import { cleanCaption } from './cleaning.ts';
import { createTagger } from './keywords.ts';

const tag = await createTagger();
const keywordsOf = (cleaned: string): string[] =>
  tag(cleaned).map(({ start, end }) => cleaned.slice(start, end));

const hardCaptions: readonly (readonly [string, readonly string[]])[] = [
  [
    'a child in a pink dress is climbing up a set of stairs .',
    ['a child', 'a pink dress', 'a set', 'stairs'],
  ],
  ['a large brown dog and a very small red star', ['a large brown dog', 'a', 'small red star']],
  ['long black coats', ['long black coats']],
  ['dogs, cats and the sea', ['dogs', 'cats', 'the sea']],
  ['a man in a t-shirt', ['a man', 'a t', 'shirt']],
  ["a dog's ball", ['a dog', 'ball']],
  ['it’s the dog’s ball, isn’t it', ['the dog', 'ball']],
  ["they can't cannot don't", []],
  ['[a dog] in []', ['a dog']],
  ['a photo of 👩‍👩‍👧 in the rain ❤️', ['a photo', 'the rain']],
  ['猫 and a dog', ['a dog']],
  ['a cafe\u0301 and an e\u0301clair', ['a cafe\u0301', 'an e\u0301clair']],
  ['the  big\tred\u3000dog\nbarks', ['the  big\tred\u3000dog']],
  ['a\u00a0red\u2003hat', ['a\u00a0red\u2003hat']],
  ['1/2 cup at http://example.com/a?b=c.', ['cup']],
  ["whomst'd've seen a dog", ['a dog']], // wink spells the first word in another way
  ['__proto__ is running', ['proto']],
  ['', []],
  ['running and jumping', []],
];

for (const [caption, keywords] of hardCaptions) {
  test(`keywords of ${JSON.stringify(caption)}`, () => {
    assert.deepEqual(keywordsOf(caption), keywords);
  });
}

test('what was tagged before has no influence', async () => {
  const fresh = await createTagger();
  const alone = fresh('4k, hd');
  fresh('a photo in 4k');
  assert.deepEqual(fresh('4k, hd'), alone);
});

test('a model that has met too many new words is loaded anew, and tags as before', () => {
  const caption = 'the blue zyxwv of a kitten, 4k, sleeping';
  const keywords = keywordsOf(caption);
  for (let number = 0; number < 70_000; number += 100) {
    tag(Array.from({ length: 100 }, (_, at) => `q${number + at}`).join(' '));
  }
  assert.deepEqual(keywordsOf(caption), keywords);
});

test('of a long caption, the words within the first 1,000 characters', () => {
  const filler = 'and '.repeat(247); // 988 characters
  assert.deepEqual(keywordsOf(`${filler}a red dog and a cat`), ['a red dog']);
  assert.deepEqual(keywordsOf(`${filler}a red doghouse for a cat`), ['a red']);
  assert.deepEqual(keywordsOf('dog'.repeat(400)), []);
});

test('spans are in order and whole, for any text', () => {
  for (const caption of oddCaptions(3000)) {
    const cleaned = cleanCaption(caption);
    let before = -1;
    for (const { start, end } of tag(cleaned)) {
      assert.ok(start > before && end > start && end <= cleaned.length, cleaned);
      const keyword = cleaned.slice(start, end);
      assert.equal(keyword, keyword.trim());
      assert.ok(keyword.isWellFormed() || !cleaned.isWellFormed(), cleaned);
      before = end;
    }
  }
});

function* oddCaptions(count: number): Generator<string, void, void> {
  const random = sequence({ seed: 3, purpose: 'masking', moment: 0, row: 0 });
  const parts = [
    ...[
      'a',
      'dog',
      'red',
      'the',
      'is',
      'Running',
      "don't",
      'b.c',
      '4k',
      '//x.ab',
      '@',
      ' ',
      ' ',
      '  ',
      '\t',
      '\n',
    ],
    ...[
      ..."1.-'’&/:,;!?()[]$#é\u0301\u00a0\u3000\u2028\u200b\u200d\ufeff一猫👩🏽❤\ufe0f\u0001",
      '\ud800',
      '\udc00',
    ],
  ];
  for (let made = 0; made < count; made += 1) {
    const length = Math.floor(random() * 14);
    yield Array.from({ length }, () => parts[Math.floor(random() * parts.length)]).join('');
  }
}
