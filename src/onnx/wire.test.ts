/** Protobuf's wire format, byte for byte as protobufjs' own encoder writes it, which makes code that pages forbid. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import protobuf from 'protobufjs/light.js';
import { encodeMessage } from './wire.ts';

const inner = {
  name: { id: 1, type: 'string' },
  number: { id: 3, type: 'int64' },
  part: { id: 17, type: 'float' },
};
const outer = {
  kind: { id: 2, type: 'int32' },
  bytes: { id: 4, type: 'bytes' },
  sizes: { id: 5, type: 'int64', rule: 'repeated' },
  names: { id: 6, type: 'string', rule: 'repeated' },
  one: { id: 7, type: 'Inner' },
  many: { id: 20, type: 'Inner', rule: 'repeated' },
} as const;
const unpacked = { ...outer, sizes: { ...outer.sizes, options: { packed: false } } };
const reference = protobuf.Root.fromJSON({
  nested: { Inner: { fields: inner }, Outer: { fields: unpacked } },
}).lookupType('Outer');

const messages = [
  {},
  { kind: 0, bytes: new Uint8Array(), sizes: [], names: [], one: {}, many: [] },
  { kind: -3, bytes: Uint8Array.of(1, 2), sizes: [0, -1, 2 ** 40], names: ['', 'é'], one: { number: 0 } },
  { many: [{ name: '', part: 0.1 }, { name: 'a'.repeat(300), number: 7, part: 0 }, {}] },
];

for (const [at, message] of messages.entries())
  test(`message ${at + 1}`, () => {
    const written = encodeMessage({ Inner: inner, Outer: outer }, 'Outer', message);
    assert.deepEqual([...written], [...reference.encode(message).finish()]);
  });
