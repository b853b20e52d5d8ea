/** Prompts as tokens, and what is refused. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { loadTokenizer, type TextTokenizer } from '../clip/index.ts';
import { folderFiles } from '../files/index.ts';
import { composePrompt, defaultPrompt, plainText } from './prompt.ts';

let tokenizer: TextTokenizer;
before(async () => {
  tokenizer = await loadTokenizer(folderFiles(join(import.meta.dirname, '../../test/fixtures/tiny-clip')));
});

test('prompts of other families: each part alone, between the tokens that their texts have', async () => {
  const root = join(import.meta.dirname, '../../test/fixtures/tokenizers');
  for (const family of ['siglip', 'siglip2', 'xlm-roberta', 'chinese-clip']) {
    const other = await loadTokenizer(folderFiles(join(root, family)));
    const { encodePart, placeholder, startOfText, endOfText } = other;
    const start = startOfText === undefined ? [] : [startOfText];
    const { ids, places } = composePrompt('is red, with a \\$ sign', 1, other);
    const [before, after] = [encodePart('a photo of'), encodePart(' that is red, with a $ sign')];
    assert.deepEqual(ids, [...start, ...before, placeholder.id, ...after, endOfText], family);
    assert.deepEqual(places, [{ position: start.length + before.length, picture: 0 }]);
    assert.throws(() => composePrompt('a dog '.repeat(60), 1, other), /at most \d+ tokens/);
  }
});

describe('prompts', () => {
  test('put a text without images behind "a photo of $ that"', () => {
    assert.equal(composePrompt(' is red ', 1, tokenizer).text, 'a photo of $ that is red');
    assert.equal(defaultPrompt(''), 'a photo of $');
    const { ids, places } = composePrompt('is red', 1, tokenizer);
    assert.deepEqual(places, [{ position: ids.indexOf(tokenizer.idOf('$')!), picture: 0 }]);
    assert.deepEqual(ids, tokenizer.encode('a photo of $ that is red').ids);
  });

  test('take a text with $ as it is, the placeholder a word of its own wherever it stands', () => {
    for (const text of ['$, pencil sketch', 'the($)', "$1's dog", '$ and $ and$']) {
      const { ids, places, text: kept } = composePrompt(text, 1, tokenizer);
      assert.equal(kept, text);
      assert.equal(places.length, text.split('$').length - 1);
      for (const { position } of places) assert.equal(ids[position], tokenizer.idOf('$'));
    }
    assert.deepEqual(composePrompt('$, red', 1, tokenizer).ids, tokenizer.encode('$ , red').ids);
  });

  test('join words as they read best', () => {
    const cases = {
      'but at night': 'a photo of $ but at night',
      'With a hat': 'a photo of $ With a hat',
      'on the beach': 'a photo of $ on the beach',
      'and a dog': 'a photo of $ and a dog',
      'that is red': 'a photo of $ that is red',
      ', pencil sketch': 'a photo of $, pencil sketch',
      'wearing a hat': 'a photo of $ wearing a hat',
      'seen from above': 'a photo of $ seen from above',
      'has a ring': 'a photo of $ that has a ring',
      'ring on its finger': 'a photo of $ that ring on its finger',
      'inner light': 'a photo of $ that inner light',
      'a $100 bill': 'a photo of $ with a $100 bill',
      'more dogs': 'a photo of $ with more dogs',
      'notices a dog': 'a photo of $ that notices a dog',
    };
    for (const [text, prompt] of Object.entries(cases)) assert.equal(defaultPrompt(text), prompt);
  });

  test('take dollar signs for such, escaped or in prices, and never for the placeholder', () => {
    const placeholder = tokenizer.idOf('$')!;
    const cases: readonly (readonly [text: string, pictures: number, prompt: string, meant: string])[] = [
      ['$ with a \\$ sign', 1, '$ with a \\$ sign', '$ with a $ sign'],
      ['\\$ and $', 1, '\\$ and $', '$ and $'],
      ['costs $100', 1, 'a photo of $ that costs $100', 'a photo of $ that costs $100'],
      ['costs \\$5', 1, 'a photo of $ that costs \\$5', 'a photo of $ that costs $5'],
      ['$1 for $1.50, $5,000 or $20', 1, '$1 for $1.50, $5,000 or $20', '$ for $1.50, $5,000 or $20'],
      ['\\$$', 1, '\\$$', '$ $'],
    ];
    for (const [text, pictures, prompt, meant] of cases) {
      const composed = composePrompt(text, pictures, tokenizer);
      assert.equal(composed.text, prompt);
      assert.deepEqual(composed.ids, tokenizer.encode(meant).ids, text);
      assert.equal(composed.places.length, 1, text);
    }
    // The words come first here, and their dollar sign is the same token.
    const { ids, places } = composePrompt('\\$ and $', 1, tokenizer);
    assert.deepEqual([ids[1], ids[3]], [placeholder, placeholder]);
    assert.deepEqual(places, [{ position: 3, picture: 0 }]);
    const hundred = Array.from({ length: 100 }, (_, at) => `$${at + 1}`).join('');
    assert.throws(() => composePrompt(hundred, 100, tokenizer), /at most 77 tokens/);
    assert.equal(plainText('a \\$5 bill, $10, $1.50', 0), 'a $5 bill, $10, $1.50');
  });

  test('name several images, in any order, any number of times', () => {
    const { places } = composePrompt('the dog of $2 with $1 and $2', 2, tokenizer);
    assert.deepEqual(
      places.map(({ picture }) => picture),
      [1, 0, 1],
    );
    assert.ok(places.every(({ position }, at) => at === 0 || position > places[at - 1]!.position));
  });

  test('are refused where they cannot be meant', () => {
    const refused = (text: string, pictures: number, message: RegExp) =>
      assert.throws(() => composePrompt(text, pictures, tokenizer), message);
    refused('on the beach', 2, /expected the images' names, \$1 to \$2, found no \$1; say which is which/);
    refused('\\$1 and \\$2', 2, /found no \$1; say which is which/);
    refused('$5', 1, /found \$5; give as many images as the text names, or write \\\$5 for a dollar sign/);
    refused('$12', 11, /expected \$1 to \$11, found \$12/);
    refused('$1 and $3', 2, /expected \$1 to \$2, found \$3; give as many images/);
    refused('$1 and $', 2, /expected one of \$1 to \$2, found \$; say which image/);
    refused('only $1', 2, /expected every image in it, found no \$2/);
    refused('$2', 1, /expected \$ for the one image, found \$2/);
    refused('$0', 1, /found \$0/);
    refused('$', 0, /expected no image, found \$/);
    refused(`$ ${'very '.repeat(100)}red`, 1, /expected at most 77 tokens, found more; shorten it/);
  });
});
