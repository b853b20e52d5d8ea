/** Texts that a shell has emptied, and what their writers are told. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { looksEmptied } from './shell-quotes.ts';

/** What a shell makes of a text in double quotes. */
const emptied = (text: string): string =>
  execFileSync('sh', ['-c', `printf %s "${text}"`], { encoding: 'utf8' });

test('what a shell has emptied comes back as the right command', () => {
  for (const text of [
    'the dog of $1 on the beach of $2',
    '$1 with $2 at night',
    'from $1 to $2',
    '$1 and $2',
  ]) {
    assert.throws(
      () => looksEmptied(emptied(text), 2),
      (error: Error) => {
        assert.match(
          error.message,
          /expected the images' names, \$1 to \$2, found no \$1; say which is which in single/,
        );
        assert.ok(error.message.endsWith(`: --text '${text}'`), error.message);
        return true;
      },
    );
  }
  const example = /: --text 'the dog of \$1 on the beach of \$2'$/;
  for (const text of ['on the beach', "the dog's house of  and ", 'a  b  c  d', '$2', 'the $1 of ']) {
    assert.throws(() => looksEmptied(text, 2), example, text);
  }
  assert.throws(
    () => looksEmptied(emptied('$1'), 1),
    /--text "": expected words, found none; leave it out, or write/,
  );
});

test('of one image, gaps are seen, and what is whole is not refused', () => {
  for (const text of ['$1 at night', 'the dog of $1 on a beach', 'a drawing of $1']) {
    assert.equal(looksEmptied(emptied(text), 1), true, text);
    assert.equal(looksEmptied(text, 1), false, text);
  }
  for (const text of ['$2 and $1', '$1 $3']) assert.equal(looksEmptied(text, 2), false);
  assert.equal(looksEmptied('is red', 1), false);
});
