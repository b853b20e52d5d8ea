/** Masked captions under both rules, and whether chance is asked only where the rule needs it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Masking } from './choices.ts';
import { createTagger, type Span } from './keywords.ts';
import { maskCaption } from './masking.ts';

const tag = await createTagger();
const unasked = (): number => assert.fail('no chance is needed here');

/** Masks a caption whose keywords stand in angle brackets. */
function masked(marked: string, masking: Masking, random: () => number = unasked) {
  const spans: Span[] = [];
  let cleaned = '';
  for (const [, plain, keyword] of marked.matchAll(/([^<]*)(?:<([^>]*)>)?/g)) {
    cleaned += plain;
    const start = cleaned.length;
    if (keyword === undefined) continue;
    cleaned += keyword;
    spans.push({ start, end: cleaned.length });
  }
  return maskCaption(cleaned, spans, masking, random);
}

const both: readonly (readonly [string, string])[] = [
  ['<a child> in <a pink dress> is climbing', '$ in $ is climbing'],
  ['<a dog>', '$'],
  ["<a dog>'s <ball>, and <the cat>.", "$ 's $ , and $ ."],
  ['[<a cat>]-<like>', '[ $ ]- $'],
  ['猫👩‍👩‍👧<dog>猫', '猫👩‍👩‍👧 $ 猫'],
  ['<a dog> and <a dog> and <a dog>', '$ and $ and $'],
];
for (const [marked, text] of both) {
  test(`${marked} under both rules`, () => {
    for (const masking of ['spans', 'official'] as const) {
      assert.equal(masked(marked, masking).text, text, masking);
    }
  });
}

test('where keywords stand, or wherever their characters occur', () => {
  const lone = '<a> sat at <the mat>, the matter';
  assert.equal(masked(lone, 'spans').text, '$ sat at $ , the matter');
  // The a in mats is struck first, and no mats are left.
  assert.equal(masked('<a> sat at <mats>', 'official').text, '$ s $ t $ t m $ ts');
  assert.equal(masked('<the mat>, the matter', 'official').text, '$ , $ ter');
});

test('a keyword that is not in the caption as it is written strikes a random word instead', () => {
  const caption = 'runs and <a  dog> runs';
  assert.equal(masked(caption, 'spans').text, 'runs and $ runs');
  const draws = ['runs', 'and', 'a', 'dog', 'runs'].map((_, at) =>
    masked(caption, 'official', () => (at + 0.5) / 5),
  );
  assert.deepEqual(
    draws.map(({ text }) => text),
    ['$ and a dog $', 'runs $ a dog runs', 'runs $ nd $ dog runs', 'runs and a $ runs', '$ and a dog $'],
  );
  for (const { fallback, keywords } of draws) {
    assert.deepEqual([fallback, keywords], ['random-word', ['a  dog']]);
  }
});

test('no words are left to strike', () => {
  assert.deepEqual(masked('<dog> <dog  dog>', 'official'), {
    text: '$ $ $',
    keywords: ['dog', 'dog  dog'],
  });
});

test('nothing to mask', () => {
  for (const caption of ['', 'running and jumping', '...']) {
    for (const masking of ['spans', 'official'] as const) {
      const prompt = { text: 'a photo of $', keywords: [], fallback: 'prompt' };
      assert.deepEqual(maskCaption(caption, tag(caption), masking, unasked), prompt);
    }
  }
});
