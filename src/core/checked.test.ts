/** Tests of the check of files against schemas: the first fault is named, others cost nothing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { checkedValue, listOf, recordOf, shortJson } from './checked.ts';
import { LincirError } from './errors.ts';

const schema = z.object({
  names: listOf(z.string(), 'a list of names').refine((names) => names.length > 1, 'at least two names'),
  sizes: recordOf(z.object({ width: z.int().positive('a number above 0') })),
});

const messageFor = (value: unknown): string => {
  try {
    return `${JSON.stringify(checkedValue(schema, value, 'a.json', 'get it again'))}`;
  } catch (error) {
    assert.ok(error instanceof LincirError && error.code === 'bad-file');
    return error.message;
  }
};

test('what is right comes back, names that JavaScript has its own use for included', () => {
  const value = JSON.parse('{"names": ["a", "b"], "sizes": {"__proto__": {"width": 1}}, "more": 1}');
  const { names, sizes } = checkedValue(schema, value, 'a.json');
  assert.deepEqual(names, ['a', 'b']);
  assert.deepEqual(Object.entries(sizes), [['__proto__', { width: 1 }]]);
});

test('the first fault is named with its place', () => {
  const names = ['a', 'b'];
  const expectations: readonly (readonly [unknown, string])[] = [
    [{ names: ['a', 5], sizes: {} }, 'a.json: names: 1: expected string, found 5; get it again'],
    [{ names: ['a'], sizes: {} }, 'a.json: names: expected at least two names, found ["a"]; get it again'],
    [{ sizes: {} }, 'a.json: names: expected a list of names, found nothing; get it again'],
    [{ names, sizes: [] }, 'a.json: sizes: expected an object, found []; get it again'],
    [
      { names, sizes: { 'x y': { width: 0 } } },
      'a.json: sizes: "x y": width: expected a number above 0, found 0; get it again',
    ],
    [{ names, sizes: { x: {} } }, 'a.json: sizes: x: width: expected number, found nothing; get it again'],
  ];
  for (const [value, message] of expectations) assert.equal(messageFor(value), message);
});

test('a message stays short whatever the data hold', () => {
  const long = 'x'.repeat(1e6);
  const values = [
    { names: [long, [long]], sizes: {} },
    { names: Array(1e6).fill(0), sizes: {} },
    { names: ['a', 'b'], sizes: { [long]: { width: long } } },
  ];
  for (const value of values) assert.ok(messageFor(value).length < 400, messageFor(value));
  assert.equal(shortJson(undefined), 'nothing');
  assert.equal(shortJson(Array(1e6).fill(1)).length, 80);
  const { message } = new LincirError('bad-file', { subject: long, expected: long, found: long, todo: long });
  assert.ok(message.length <= 1000 && message.endsWith('xxx'), message);
});
