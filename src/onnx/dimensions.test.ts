/** Arithmetic of sizes: one spelling for every polynomial. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { broadcast, minus, plus, resolved, sameShape, sizeOf, terms, times } from './dimensions.ts';

test('equal polynomials are equal strings', () => {
  assert.equal(times('b', 'a'), 'a*b');
  assert.equal(times('a', 'b'), 'a*b');
  assert.equal(plus(times('b', 2), 3), '2*b+3');
  assert.equal(plus(3, plus('b', 'b')), '2*b+3');
  assert.equal(minus(times('m', 'n'), 'a'), '-a+m*n');
  assert.equal(plus(minus(0, 'a'), times('n', 'm')), '-a+m*n');
  assert.equal(times(plus('a', 1), minus('a', 1)), 'a*a-1');
  assert.equal(times(plus('a', 'b'), plus('a', 'b')), 'a*a+2*a*b+b*b');
});

test('what cancels is gone, and numbers stay numbers', () => {
  assert.equal(minus('n', 'n'), 0);
  assert.equal(minus(plus('n', 4), 'n'), 4);
  assert.equal(times(0, 'n'), 0);
  assert.equal(times('n', 1), 'n');
  assert.equal(plus('n', 0), 'n');
  assert.equal(times(3, 4), 12);
  assert.equal(minus(2, 5), -3);
  assert.equal(minus(1, 'n'), '-n+1');
  assert.equal(sizeOf([]), 1);
  assert.equal(sizeOf([2, 'n', 3, 'm']), '6*m*n');
  assert.equal(sizeOf([2, 0, 'm']), 0);
});

test('the laws of a ring hold for many polynomials', () => {
  const some = [0, 1, -2, 'a', 'b', plus('a', 1), minus('b', times(3, 'a')), times('a', 'b')];
  for (const x of some) {
    for (const y of some) {
      assert.equal(plus(x, y), plus(y, x));
      assert.equal(times(x, y), times(y, x));
      assert.equal(minus(plus(x, y), y), x);
      for (const z of some) assert.equal(times(x, plus(y, z)), plus(times(x, y), times(x, z)));
    }
  }
});

test('terms and values of a size', () => {
  assert.deepEqual(terms('2*a*b-c-7'), [
    { coefficient: 2, symbols: ['a', 'b'] },
    { coefficient: -1, symbols: ['c'] },
    { coefficient: -7, symbols: [] },
  ]);
  const symbols = new Map([
    ['a', 3],
    ['b', 5],
  ]);
  assert.equal(resolved('2*a*b-a-7', symbols), 20);
  assert.equal(resolved(4, symbols), 4);
  assert.equal(resolved(0, symbols), 0);
  assert.equal(resolved('a+c', symbols), undefined);
});

test('broadcasting is that of NumPy, and symbols fit only themselves and 1', () => {
  assert.deepEqual(broadcast([2, 1], [3]), [2, 3]);
  assert.deepEqual(broadcast(['n', 1, 4], ['m', 1]), ['n', 'm', 4]);
  assert.deepEqual(broadcast([], ['n']), ['n']);
  assert.ok(sameShape(broadcast(['n', 2], ['n', 2]), ['n', 2]));
  for (const [a, b] of [
    [[2], [3]],
    [['n'], ['m']],
    [['n'], [2]],
  ] as const) {
    assert.throws(() => broadcast(a, b), {
      code: 'bad-argument',
      message: /equal or 1 on every axis, found \[/,
    });
  }
});
