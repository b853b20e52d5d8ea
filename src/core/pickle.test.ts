/** Tests of the pickle reader: what it reads, what it refuses, what it withstands. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PickledObject, type PickleWorld, unpickle } from './pickle.ts';

const world: PickleWorld = {
  subject: 'data.pkl',
  globals: new Map([
    ['collections.OrderedDict', () => new Map()],
    ['torch.FloatStorage', undefined],
  ]),
  persistent: (id) => ({ id }),
};

/** Reads a pickle whose bytes are the characters of `code`. */
const read = (code: string, protocol = 2) =>
  unpickle(Buffer.from(`\x80${String.fromCharCode(protocol)}${code}`, 'latin1'), world);

const refuses = (code: string, message: RegExp) =>
  assert.throws(() => read(code), { name: 'LincirError', code: 'bad-file', message });

/** BINUNICODE of a text. */
const unicode = (text: string) => {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return `X${length.toString('latin1')}${bytes.toString('latin1')}`;
};

test('plain values of every instruction', () => {
  assert.deepEqual(read('(K\xffM\x01\x02J\xfe\xff\xff\xffG\x3f\xf8\0\0\0\0\0\0N\x88\x89t.'), [
    255,
    513,
    -2,
    1.5,
    null,
    true,
    false,
  ]);
  assert.deepEqual(read('(\x8a\0\x8a\x01\xff\x8a\x05\0\0\0\0\x01\x8a\x08\0\0\0\0\0\0\0\x40t.'), [
    0,
    -1,
    2 ** 32,
    2n ** 62n,
  ]);
  assert.deepEqual(read(`(${unicode('näme')}\x8c\x02hi)K\x01\x85K\x01K\x02\x86NNN\x87t.`), [
    'näme',
    'hi',
    [],
    [1],
    [1, 2],
    [null, null, null],
  ]);
  assert.deepEqual(read(']K\x01a(K\x02K\x03e.'), [1, 2, 3]);
  assert.deepEqual(
    read('}\x8c\x01aK\x01s(\x8c\x01bK\x02K\x03K\x04u.'),
    new Map<unknown, unknown>([
      ['a', 1],
      ['b', 2],
      [3, 4],
    ]),
  );
  assert.deepEqual(read('\x95\0\0\0\0\0\0\0\0\x8c\x01a\x94h\0\x86.', 4), ['a', 'a']);
  assert.deepEqual(read('K\x01q\x05r\0\x01\0\0h\x05j\0\x01\0\0\x87.'), [1, 1, 1]);
});

test('globals of the world are called, named and given attributes; persistent ids are asked for', () => {
  assert.deepEqual(read('ccollections\nOrderedDict\n)R}b.'), new Map());
  assert.deepEqual(read('\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R.', 4), new Map());
  assert.deepEqual(read('ctorch\nFloatStorage\nQ.'), { id: { global: 'torch.FloatStorage' } });
});

test('other globals are refused by name, and nothing is run', () => {
  refuses(`cos\nsystem\n${unicode('echo')}\x85R.`, /a use of "os\.system", which lincir refuses to run/);
  refuses('c__builtin__\neval\n.', /"__builtin__\.eval"/);
  refuses('\x8c\x05posix\x8c\x06system\x93.', /"posix\.system"/);
  refuses('ctorch\nFloatStorage\n)R.', /"torch\.FloatStorage"/);
  refuses('ccollections\nconstructor\n)R.', /"collections\.constructor"/);
  refuses('K\x01)R.', /a value that is no function/);
  refuses('K\x01)\x81.', /a value that is no class/);
  refuses(')}\x92.', /instructions that torch\.save writes, found the byte 146/);
  refuses("(S'ls'\nios\nsystem\n.", /found the byte 83/);
});

test('broken pickles are refused', () => {
  refuses('', /byte 2: expected 1 more bytes/);
  refuses('.', /1 values to work on/);
  refuses('K\x01(.', /1 values to work on/);
  refuses('K\x01K\x02.', /one value and nothing after it/);
  refuses('K\x01.K', /one value and nothing after it/);
  refuses('t.', /a mark/);
  refuses('h\x07.', /none under 7/);
  refuses('X\xff\xff\xff\xffabc.', /4294967295 more bytes, found 4/);
  refuses('\x8c\x01\xff.', /text in UTF-8/);
  refuses('cnothing', /a line end/);
  refuses(')K\x01a.', /a list to append to/);
  refuses('}(K\x01u.', /a dictionary and pairs/);
  refuses(']}b.', /attributes of dictionaries only/);
  refuses(`}${unicode('k'.repeat(1001))}Ns.`, /keys of at most 1000 characters/);
  assert.throws(() => read('N.', 6), /protocol 2 to 5, found 6/);
});

test('bombs stay small', () => {
  // Each list holds the one before it twice: 2^1000 paths, 1000 lists.
  const doubled = `(]q\0${'](h\0h\0eq\0'.repeat(1000)}t`;
  read(`${doubled}.`);
  refuses(`${doubled}h\0\x93.`, /the name of a global/);
  // A list that holds itself.
  read(']q\0h\0a.');
  // Nested deeper than any call could go.
  read(`${']'.repeat(500_000)}${'a'.repeat(499_999)}.`);
  refuses('}'.repeat(2_000_001), /at most 2000000 instructions/);
});

test('an object of a class that the world has is its attributes, and nothing else', () => {
  const ofModules = (code: string) =>
    unpickle(Buffer.from(`\x80\x02${code}`, 'latin1'), { ...world, classes: '__torch__.' });
  const module = 'c__torch__.a\nModule\n)\x81';
  const read = ofModules(`${module}}(${unicode('training')}\x88${unicode('inner')}${module}ub.`);
  assert.ok(read instanceof PickledObject);
  assert.equal(read.class, '__torch__.a.Module');
  assert.equal(read.attributes.get('training'), true);
  assert.ok(read.attributes.get('inner') instanceof PickledObject);
  for (const [code, message] of [
    ['cos\nsystem\n)\x81.', /a use of "os\.system"/],
    ['ctorch\nFloatStorage\n)\x81.', /a use of "torch\.FloatStorage"/],
    ['c__torch__.a\nModule\n)R.', /a use of "__torch__\.a\.Module"/],
    ['c__torch__.a\nModule\nK\x01\x85\x81.', /an object made of nothing, found arguments/],
    [`${module}K\x01b.`, /attributes of dictionaries only/],
    [`${module}K\x01K\x02s.`, /a dictionary and pairs/],
  ] as const) {
    assert.throws(() => ofModules(code), { code: 'bad-file', message });
  }
  refuses('c__torch__.a\nModule\n)\x81.', /a use of "__torch__\.a\.Module"/);
});
