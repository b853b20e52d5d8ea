/** Prompts as tokens, and what is refused. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { type ClipTokenizer, loadTokenizer } from '../clip/index.ts';
import { composePrompt, defaultPrompt } from './prompt.ts';

let tokenizer: ClipTokenizer;
before(async () => {
  tokenizer = await loadTokenizer(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
});

describe('prompts', () => {
  test('put a text without pictures behind "a photo of $ that"', () => {
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

  test('name several pictures, in any order, any number of times', () => {
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
    refused('on the beach', 2, /expected the pictures' names, \$1 to \$2, found no \$1; say which is which/);
    refused('$1 and $3', 2, /expected \$1 to \$2, found \$3; give as many pictures/);
    refused('$1 and $', 2, /expected one of \$1 to \$2, found \$; say which picture/);
    refused('only $1', 2, /expected every picture in it, found no \$2/);
    refused('$2', 1, /expected \$ for the one picture, found \$2/);
    refused('$0', 1, /found \$0/);
    refused('$', 0, /expected no picture, found \$/);
    refused(`$ ${'very '.repeat(100)}red`, 1, /expected at most 77 tokens, found more; shorten it/);
  });
});
