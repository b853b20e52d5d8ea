/** Lines across chunks, line ends of every kind, and what is no text. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLines } from './lines.ts';

/** The lines of a text that arrives in chunks of `size` bytes. */
async function linesOf(text: string | Uint8Array, size: number): Promise<string[]> {
  const bytes = Buffer.from(text);
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  return Array.fromAsync(readLines(chunks(), 'texts.txt'));
}

test('lines are the same however the bytes arrive', async () => {
  const text = '\uFEFFthe first\r\n\nzwölf Boxkämpfer 🥊\n last';
  for (const size of [1, 2, 7, 1000]) {
    assert.deepEqual(await linesOf(text, size), ['the first', '', 'zwölf Boxkämpfer 🥊', ' last']);
  }
  for (const size of [1, 2, 3, 10]) {
    assert.deepEqual(await linesOf('old\rMac\r\rends', size), ['old', 'Mac', '', 'ends']);
    assert.deepEqual(await linesOf('all\rthree\nends\r\nmixed\n\r', size), [
      'all',
      'three',
      'ends',
      'mixed',
      '',
    ]);
  }
  assert.deepEqual(await linesOf('a\n', 10), ['a']);
  assert.deepEqual(await linesOf('a\r', 10), ['a']);
  assert.deepEqual(await linesOf('', 10), []);
});

test('a line that is no text is named', async () => {
  await assert.rejects(
    linesOf(Buffer.from([0x61, 0x0a, 0xff, 0x0a]), 10),
    /^LincirError: texts\.txt: line 2: .*not UTF-8/,
  );
  await assert.rejects(linesOf(`a\n${'b'.repeat(2 ** 20 + 1)}`, 65_536), /line 2: .*found more/);
});
