/** Lines of JSON as Python's json module writes them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonLine } from './json-line.ts';

const parse = (line: string) => parseJsonLine(line, 'a.jsonl: line 1');

test('numbers that are none are null, and texts stay', () => {
  assert.deepEqual(parse('{"a": NaN, "NaN": [Infinity, -Infinity, 1]}'), { a: null, NaN: [null, null, 1] });
  assert.deepEqual(parse(String.raw`["NaN \" NaN \\", NaN, "-Infinity", "\ud83d"]`), [
    ...['NaN " NaN \\', null, '-Infinity', '\ud83d'],
  ]);
  assert.equal(parse('NaN'), null);
});

test('what is no JSON is refused, at once', () => {
  const message = /^a\.jsonl: line 1: expected JSON, found/;
  for (const line of ['{"a": NaNs}', '[-NaN 1]', '[nan]', '{"a": NaN', '["NaN]', '["NaN\\', '']) {
    assert.throws(() => parse(line), { code: 'bad-file', message }, line);
  }
  for (const unit of ['"\\', '\\"', '"NaN', '-', 'Na']) {
    assert.throws(() => parse(`[NaN, ${unit.repeat(2 ** 19)}`), { code: 'bad-file', message });
  }
});
