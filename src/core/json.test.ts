/** Tests of the strict JSON parser. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { readJsonFile } from '../files/index.ts';
import { jsonByteLimit, parseJson, parseJsonText } from './json.ts';

const folder = await mkdtemp(join(tmpdir(), 'lincir-json-'));
after(() => rm(folder, { recursive: true }));

const parse = (text: string) => parseJson(Buffer.from(text), 'config.json');

test('JSON parses', () => {
  const value = { a: [1, { a: 'b: "a"', b: {} }], 'a\\"b': '\\' };
  assert.deepEqual(parse(JSON.stringify(value, null, 1)), value);
});

test('a key that stands twice is refused, however it is written', () => {
  for (const text of [
    '{"a": 1, "a": 2}',
    '{"x": [{"a": 1, "b": {}, "a": 2}]}',
    String.raw`{"a": 1, "\u0061" : 2}`,
    '{"__proto__": 1, "__proto__": 2}',
  ]) {
    assert.throws(
      () => parse(text),
      /^LincirError: config.json: expected every key once, found "(a|__proto__)" twice/,
    );
  }
});

test('what is not JSON in UTF-8 is refused', () => {
  assert.throws(() => parse('{"a": }'), {
    code: 'bad-file',
    message: /config.json: expected JSON in UTF-8, found Unexpected token '}', "{"a": }" is not/,
  });
  const bytes = Uint8Array.of(0x22, 0xff, 0x22);
  assert.throws(() => parseJson(bytes, 'config.json'), {
    code: 'bad-file',
    message: /expected JSON in UTF-8/,
  });
});

test('nesting and numbers of lists are bounded before any is made', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  assert.equal(JSON.stringify(parse(nested(1000))), nested(1000));
  const brackets = '["[{\\"'.repeat(10_000);
  assert.equal(parse(JSON.stringify(brackets)), brackets);
  const tooDeep = /^LincirError: config\.json: expected JSON nested at most 1000 deep/;
  for (const text of [nested(1001), nested(200_000), '{"a":'.repeat(1001), `{"a":${nested(1000)}}`]) {
    assert.throws(() => parse(text), tooDeep);
    assert.throws(() => parseJsonText(text, 'config.json', (_, value) => value), tooDeep);
  }
  assert.throws(() => parse(`[${'[],'.repeat(2 ** 21)}[]]`), /at most \d+ lists, objects and keys/);
  assert.deepEqual(parseJsonText('{"a": 1, "a": 2}', 'a line'), { a: 2 });
});

test('a file reads, unless it is too large', async () => {
  const path = join(folder, 'config.json');
  await writeFile(path, '{"a": 1}\n');
  assert.deepEqual(await readJsonFile(path), { a: 1 });
  await truncate(path, jsonByteLimit + 1);
  await assert.rejects(readJsonFile(path), {
    code: 'bad-file',
    message: /config\.json: .* found 16777217 bytes/,
  });
});
