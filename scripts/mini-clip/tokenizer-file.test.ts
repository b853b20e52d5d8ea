/** The tokenizer file, read by the ordinary tokenizer: words are one token, and anything can be written. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadTokenizer } from '../../src/clip/index.ts';
import { folderFiles } from '../../src/files/index.ts';
import { tokenizerFile, wordsOf } from './tokenizer-file.ts';

const texts = [
  'A red circle, three green ones on the beach.',
  'there are three trees; the reddest is café-red',
  'abc ab bc c',
];
const { json, vocabulary } = tokenizerFile(texts);
const folder = await mkdtemp(join(tmpdir(), 'lincir-'));
after(() => rm(folder, { recursive: true }));
await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json));
const tokenizer = await loadTokenizer(folderFiles(folder));

test('every word of the texts is one token', () => {
  const words = wordsOf(texts);
  assert.ok(words.includes('reddest') && words.includes('café') && words.includes(','));
  for (const word of words) assert.notEqual(tokenizer.idOf(word), undefined, word);
  assert.equal(new Set(words.map((word) => tokenizer.idOf(word))).size, words.length);
  assert.equal(tokenizer.encode(texts[0]!).ids.length, 2 + 11);
});

test('ids are numbered as CLIP numbers them', () => {
  assert.equal(tokenizer.idOf('$'), 259);
  assert.equal(tokenizer.startOfText, vocabulary - 2);
  assert.equal(tokenizer.endOfText, vocabulary - 1);
  const ids = Object.values((json as { model: { vocab: Record<string, number> } }).model.vocab);
  assert.deepEqual(
    ids.toSorted((a, b) => a - b),
    [...Array(vocabulary).keys()],
  );
});

test('any text can be written, without the unknown token', () => {
  const { ids } = tokenizer.encode('Zürich 2024: \u{1f98a} ∑ 漢字 \u{7f}');
  assert.ok(ids.length > 15);
  assert.equal(ids.filter((id) => id === tokenizer.endOfText).length, 1);
  assert.notDeepEqual(tokenizer.encode('漢').ids, tokenizer.encode('字').ids);
});

test('the order of the texts does not matter', () => {
  assert.deepEqual(tokenizerFile(texts.toReversed()), { json, vocabulary });
});
