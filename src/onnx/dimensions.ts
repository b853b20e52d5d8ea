/** Sizes that may be unknown until a graph runs: numbers, or polynomials over symbols such as `batch*positions`. */

import { LincirError } from '../core/index.ts';

/**
 * One axis's size. A string is a polynomial in canonical form, so equal sizes are equal strings:
 * terms joined by `+` or `-`, each a product joined by `*`, its number first, its symbols sorted.
 */
export type Dimension = number | string;
export type Shape = readonly Dimension[];

/** Product of symbols ('' is the constant term) -> its coefficient. */
type Terms = ReadonlyMap<string, number>;

export function plus(a: Dimension, b: Dimension): Dimension {
  const sum = new Map(termsOf(a));
  for (const [product, coefficient] of termsOf(b)) sum.set(product, (sum.get(product) ?? 0) + coefficient);
  return fromTerms(sum);
}

export function minus(a: Dimension, b: Dimension): Dimension {
  return plus(a, times(-1, b));
}

export function times(a: Dimension, b: Dimension): Dimension {
  const result = new Map<string, number>();
  for (const [left, m] of termsOf(a)) {
    for (const [right, n] of termsOf(b)) {
      const product = [...symbolsOf(left), ...symbolsOf(right)].sort().join('*');
      result.set(product, (result.get(product) ?? 0) + m * n);
    }
  }
  return fromTerms(result);
}

/** How many elements a shape holds; 1 for a scalar. */
export function sizeOf(shape: Shape): Dimension {
  return shape.reduce<Dimension>(times, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** The shape of two shapes after NumPy's broadcasting. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new LincirError('bad-argument', {
      subject: 'broadcasting',
      expected: 'sizes that are equal or 1 on every axis',
      found: `${formatShape(a)} and ${formatShape(b)}`,
    });
  });
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** A size's value for these values of its symbols; undefined if one is missing. */
export function resolved(dimension: Dimension, symbols: ReadonlyMap<string, number>): number | undefined {
  const values = terms(dimension).map(({ coefficient, symbols: factors }) =>
    factors.reduce((product, factor) => product * (symbols.get(factor) ?? Number.NaN), coefficient),
  );
  const sum = values.reduce((a, b) => a + b, 0);
  return Number.isNaN(sum) ? undefined : sum;
}

/** The terms of a size: products of symbols with their coefficients. */
export function terms(dimension: Dimension): { coefficient: number; symbols: readonly string[] }[] {
  return [...termsOf(dimension)].map(([product, coefficient]) => ({
    coefficient,
    symbols: symbolsOf(product),
  }));
}

function termsOf(dimension: Dimension): Terms {
  if (typeof dimension === 'number') return new Map([['', dimension]]);
  const result = new Map<string, number>();
  for (const term of dimension.replaceAll('-', '+-').split('+')) {
    if (term === '') continue;
    const sign = term.startsWith('-') ? -1 : 1;
    const factors = (sign < 0 ? term.slice(1) : term).split('*');
    const number = /^\d+$/.test(factors[0] ?? '') ? Number(factors.shift()) : 1;
    result.set(factors.join('*'), sign * number);
  }
  return result;
}

function symbolsOf(product: string): string[] {
  return product === '' ? [] : product.split('*');
}

function fromTerms(all: Terms): Dimension {
  const kept = [...all].filter(([, coefficient]) => coefficient !== 0);
  if (kept.every(([product]) => product === '')) return kept[0]?.[1] ?? 0;
  return kept
    .sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1))
    .map(([product, coefficient], index) => {
      const size = Math.abs(coefficient);
      const body = product === '' ? `${size}` : size === 1 ? product : `${size}*${product}`;
      return `${coefficient < 0 ? '-' : index > 0 ? '+' : ''}${body}`;
    })
    .join('');
}
