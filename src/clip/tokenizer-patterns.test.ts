/** Tests of which patterns of a tokenizer's file are taken: those of published models, and none that could take for ever. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectLinearPatterns } from './tokenizer-patterns.ts';

const check = (Regex: unknown) =>
  expectLinearPatterns('t.json', null, { type: 'Sequence', normalizers: [{ pattern: { Regex } }] });

test('patterns of published tokenizers are taken', () => {
  for (const pattern of [
    String.raw`\s+`,
    String.raw`<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`,
    String.raw` ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+`,
    ' {2,}',
    '[!"\\#\\$%\\&\'\\(\\)\\*\\+,\\-\\./:;<=>\\?@\\[\\\\\\]\\^_`\\{\\|\\}\\~]',
  ]) {
    check(pattern);
  }
  expectLinearPatterns('t.json', { pattern: { String: '(a+)+$' } }, undefined, 5);
});

test('patterns that may try every way are refused, and so are others than texts', () => {
  for (const pattern of [
    '(a+)+$',
    '(a|aa)*',
    'a+b',
    'a*a*',
    '.*.*x',
    'a{1,9}',
    'a{2,}b',
    'a{99,}',
    '(?=a+b)',
    'a'.repeat(1001),
    5,
    '(',
  ]) {
    assert.throws(() => check(pattern), {
      code: 'bad-file',
      message: /^t\.json: Regex: expected alternatives/,
    });
  }
});

test('a pattern is checked at once', () => {
  assert.throws(() => check(`${'a?'.repeat(400)}(`), { code: 'bad-file' });
  assert.throws(() => check(`${String.raw`\p{L}`.repeat(190)}(`), { code: 'bad-file' });
});
