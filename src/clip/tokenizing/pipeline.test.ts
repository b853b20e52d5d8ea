/** Parts of tokenizers that the recorded ids do not reach: rare options, and files that mean harm. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LincirError } from '../../core/index.ts';
import { addedTokenFinder } from './added-tokens.ts';
import { readCharsmap } from './charsmap.ts';
import { checked, type TokenizerDescription, tokenizerSchema, vocabularyOf } from './description.ts';
import { textEnds } from './ends.ts';
import { normalizerOf } from './normalizers.ts';
import { tokenizingPipeline } from './pipeline.ts';
import { preTokenizerOf } from './pre-tokenizers.ts';

const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };

function pipeline(json: Partial<Record<keyof TokenizerDescription, unknown>>): (text: string) => number[] {
  const description = checked(tokenizerSchema, json, 't.json');
  const options = { clean: undefined, isSentencePiece: false };
  return tokenizingPipeline(description, vocabularyOf(description), options, 't.json');
}

describe('unigram', () => {
  const vocab = [
    ['<unk>', 0],
    ['a', -1],
    ['ab', -1.5],
    ['b', -1],
    ['😀', -2],
    ['cd', -30],
  ];

  test('takes the pieces with the best sum; unknown characters side by side are one', () => {
    const encode = pipeline({ model: { type: 'Unigram', vocab, unk_id: 0 } });
    assert.deepEqual(encode('ab'), [2]);
    assert.deepEqual(encode('aab😀'), [1, 2, 4]);
    assert.deepEqual(encode('axyb'), [1, 0, 3]);
    assert.deepEqual(encode('cd'), [5]);
    assert.deepEqual(encode(''), []);
  });

  test('falls back to bytes', () => {
    const bytes = Array.from({ length: 256 }, (_, byte) => {
      return [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, -9];
    });
    const encode = pipeline({ model: { vocab: [...vocab, ...bytes], unk_id: 0, byte_fallback: true } });
    assert.deepEqual(encode('aé'), [1, 6 + 0xc3, 6 + 0xa9]);
  });
});

test('byte pairs merge by rank, then from left to right, whatever the file calls them', () => {
  const vocab = { a: 0, b: 1, c: 2, ab: 3, bc: 4, aa: 5, abc: 6, '<unk>': 7 };
  for (const merges of [
    ['b c', 'a a', 'a bc'],
    [
      ['b', 'c'],
      ['a', 'a'],
      ['a', 'bc'],
    ],
  ]) {
    const encode = pipeline({ model: { vocab, merges, unk_token: '<unk>', fuse_unk: true } });
    assert.deepEqual(encode('abc'), [6]);
    assert.deepEqual(encode('aaabc'), [5, 6]);
    assert.deepEqual(encode('aaaa'), [5, 5]);
    assert.deepEqual(encode('xyab'), [7, 0, 1]);
  }
  const whole = pipeline({ model: { vocab, merges: [], ignore_merges: true } });
  assert.deepEqual([whole('abc'), whole('abb')], [[6], [0, 1, 1]]);
});

test('added tokens take white space along, or stand only between words', () => {
  const token = { ...flags, content: '<x>', id: 9 };
  const find = (own: Partial<typeof flags>, text: string) =>
    addedTokenFinder([{ ...token, ...own }], 't')(text);
  assert.deepEqual(find({}, 'a <x> b'), [{ text: 'a ' }, { id: 9 }, { text: ' b' }]);
  assert.deepEqual(find({ lstrip: true, rstrip: true }, 'a <x>\u0085b'), [
    { text: 'a' },
    { id: 9 },
    { text: 'b' },
  ]);
  assert.deepEqual(find({ single_word: true }, 'a<x> <x>'), [{ text: 'a<x> ' }, { id: 9 }]);
  const both = addedTokenFinder([token, { ...token, content: '<x>>', id: 10 }], 't');
  assert.deepEqual(both('<x>>'), [{ id: 10 }]);
  const long = { ...token, content: 'x'.repeat(300_000) };
  assert.throws(() => addedTokenFinder([long], 't.json'), /added tokens of 262144 characters/);
});

test('words are split as each rule says', () => {
  const split = (description: object, text: string) => preTokenizerOf(description, 't')([text], true);
  const at = (behavior: string, invert = false) => {
    return split({ type: 'Split', pattern: { Regex: '-' }, behavior, invert }, 'a--b-');
  };
  assert.deepEqual(at('Removed'), ['a', 'b']);
  assert.deepEqual(at('Removed', true), ['-', '-', '-']);
  assert.deepEqual(at('Isolated'), ['a', '-', '-', 'b', '-']);
  assert.deepEqual(at('MergedWithPrevious'), ['a-', '-', 'b-']);
  assert.deepEqual(at('MergedWithNext'), ['a', '-', '-b', '-']);
  assert.deepEqual(at('Contiguous'), ['a', '--', 'b', '-']);
  const metaspace = { type: 'Metaspace', replacement: '▁' };
  assert.deepEqual(split(metaspace, 'a  b'), ['▁a', '▁', '▁b']);
  assert.deepEqual(split({ ...metaspace, add_prefix_space: false, split: false }, 'a b'), ['a▁b']);
  assert.deepEqual(split({ type: 'ByteLevel' }, "it's  5"), ['Ġit', "'s", 'Ġ', 'Ġ5']);
});

describe('tokens around a text', () => {
  const token = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const text = { Sequence: { id: 'A', type_id: 0 } };
  const special_tokens = {
    '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] },
    '</s>': { id: '</s>', ids: [2] },
  };
  const template = (...single: object[]) => ({ type: 'TemplateProcessing', single, special_tokens });

  test('as templates and older kinds say', () => {
    assert.deepEqual(textEnds(template(token('<s>'), text, token('</s>')), 't'), { start: 0, end: 2 });
    assert.deepEqual(textEnds(template(text, token('</s>')), 't'), { start: undefined, end: 2 });
    const roberta = { type: 'RobertaProcessing', cls: ['<s>', 0], sep: ['</s>', 2], trim_offsets: true };
    assert.deepEqual(textEnds({ type: 'Sequence', processors: [{ type: 'ByteLevel' }, roberta] }, 't'), {
      ...{ start: 0, end: 2 },
    });
    assert.deepEqual(textEnds(null, 't'), { start: undefined, end: undefined });
  });

  test('two on a side, or none that is known, are refused', () => {
    for (const wrong of [template(text, token('</s>'), token('</s>')), { type: 'Unheard' }, 5]) {
      assert.throws(() => textEnds(wrong, 't.json'), {
        code: 'bad-file',
        message: /at most one token before/,
      });
    }
  });
});

describe('what means harm', () => {
  test('a text that would grow without end', () => {
    const double = { type: 'Replace', pattern: { String: 'a' }, content: 'aa' };
    const normalize = normalizerOf(
      { type: 'Sequence', normalizers: Array(60).fill(double) },
      'longest',
      't.json',
    );
    assert.throws(() => normalize('a'.repeat(100)), { code: 'bad-file', message: /64 times as long/ });
    const long = { ...double, content: 'a'.repeat(1000) };
    assert.throws(() => normalizerOf(long, 'longest', 't.json'), { code: 'bad-file' });
  });

  test('tables that are none', () => {
    const tables = ['', 'AAAA', '////////', 'not base64!', btoa('\x08\0\0\0'), btoa('\x05\0\0\0abcdefgh')];
    for (const table of tables) {
      assert.throws(
        () => readCharsmap(table, 'graphemes', 't.json'),
        (error) =>
          error instanceof LincirError && /the charsmap of a SentencePiece model/.test(error.message),
        table,
      );
    }
  });

  test('tables of any bytes end', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const bytes = Array.from(
        { length: 400 },
        (_, at) => ((at * 7919 + seed * 104_729) ** 2 % 251) + (seed % 5),
      );
      const table = btoa(String.fromCharCode(64, 1, 0, 0, ...bytes));
      for (const way of ['graphemes', 'longest'] as const) {
        try {
          readCharsmap(table, way, 't')('é a\u0301 ｶﾞ 漢字 \u{1F469}\u200d');
        } catch (error) {
          assert.ok(error instanceof LincirError);
        }
      }
    }
  });

  test('pieces, words and merges out of bounds', () => {
    const refused = (model: object, message: RegExp) => {
      assert.throws(() => pipeline({ model }), { code: 'bad-file', message });
    };
    refused(
      { type: 'Unigram', vocab: [['a', -1]], unk_id: 7 },
      /unknown characters among the pieces, found 7/,
    );
    refused({ type: 'Unigram', vocab: [['a'.repeat(600), -1]], unk_id: 0 }, /at most 512 characters/);
    refused(
      { type: 'Unigram', vocab: [['a', -1], ['b']], unk_id: 0 },
      /vocab\.1: expected a piece and its score/,
    );
    refused({ vocab: { a: 0, '[UNK]': 1 }, max_input_chars_per_word: 1e9 }, /max_input_chars_per_word/);
    refused({ vocab: { a: 0 } }, /its unknown token, "\[UNK\]"/);
    refused({ vocab: { a: 0 }, merges: ['a b'] }, /"b": not in it/);
    refused({ vocab: { a: 0, b: 2 ** 40 }, merges: ['a b'] }, /ids below 67108864/);
  });
});
