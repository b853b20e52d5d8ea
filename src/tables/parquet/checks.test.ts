/** Sizes that a file claims and cannot have. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areSoundRuns, isSoundThrift } from './checks.ts';

const thrift = (...bytes: number[]) => isSoundThrift(Uint8Array.from(bytes));

test('a structure is sound if it ends among the bytes', () => {
  assert.ok(thrift(0));
  // true; an integer; a string of 2; a list of 3 bytes; a structure within; a field by its number.
  assert.ok(thrift(0x11, 0x15, 0x80, 0x01, 0x18, 2, 65, 66, 0x19, 0x33, 1, 2, 3, 0x1c, 0, 0x05, 40, 7, 0));
  assert.ok(!thrift());
  assert.ok(!thrift(0x11));
  assert.ok(!thrift(0x15, 0x80));
  assert.ok(!thrift(0x18, 3, 65, 66));
  assert.ok(!thrift(0x1b, 0, 0), 'a map, which Parquet has none of');
  assert.ok(!isSoundThrift(new Uint8Array(1000).fill(0x1c)), 'structures without end');
});

test('a list is no longer than the bytes that are left', () => {
  assert.ok(thrift(0x19, 0xf3, 2, 1, 2, 0));
  assert.ok(!thrift(0x19, 0xf3, 0xff, 0xff, 0xff, 0xff, 0x07, 1, 2, 0));
  assert.ok(!thrift(0x19, 0xf1, 0xff, 0xff, 0x07, 1, 1, 0), 'of booleans, which take a byte each');
});

test('runs are sound if none is longer than a page', () => {
  const runs = (...bytes: number[]) => areSoundRuns(Uint8Array.from(bytes), 1, 100);
  assert.ok(runs(200, 1, 1)); // 100 ones
  assert.ok(runs(3, 0b1010_1010, 184, 1, 0)); // 8 bits, 92 zeros
  assert.ok(runs(200, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0e, 0)); // What follows is not read.
  assert.ok(!runs(3, 0b1010_1010, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0));
  assert.ok(!areSoundRuns(Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x0f]), 0, 100), 'packed in no bits');
});
