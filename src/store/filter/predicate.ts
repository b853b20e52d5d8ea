/** Turns filters into predicates over rows in memory. They pass the same rows as the SQL of other stores. */

import type { Filter, Operator, Scalar } from './filter.ts';

export type FilteredRow = Readonly<Record<string, Scalar | null>>;

/** A column that a row lacks is null. */
export function filterPredicate(filter: Filter): (row: FilteredRow) => boolean {
  const truth = truthOf(filter);
  return (row) => truth(row) === true;
}

/** Null is unknown. */
type Truth = boolean | null;

/** Compares a value with a literal: negative if the value comes before. */
const decisions: Readonly<Record<Operator, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

function truthOf(filter: Filter): (row: FilteredRow) => Truth {
  switch (filter.kind) {
    case 'compare': {
      const { value: literal } = filter;
      const decide = decisions[filter.operator];
      return known(filter.column, (value) => decide(orderOf(value, literal)));
    }
    case 'in': {
      const values = new Set(filter.values);
      return known(filter.column, (value) => values.has(value));
    }
    case 'like': {
      const matches = likeMatcher(filter.pattern, filter.ignoreCase);
      return known(filter.column, (value) => matches(String(value)));
    }
    case 'null':
      return (row) => cell(row, filter.column) === null;
    case 'not': {
      const of = truthOf(filter.of);
      return (row) => {
        const truth = of(row);
        return truth === null ? null : !truth;
      };
    }
    case 'and':
    case 'or': {
      const parts = filter.of.map(truthOf);
      // One false makes a conjunction false, and one true a disjunction true, even beside unknown ones.
      const decisive = filter.kind === 'or';
      return (row) => {
        let truth: Truth = !decisive;
        for (const part of parts) {
          const one = part(row);
          if (one === decisive) return decisive;
          if (one === null) truth = null;
        }
        return truth;
      };
    }
  }
}

function known(column: string, test: (value: Scalar) => boolean): (row: FilteredRow) => Truth {
  return (row) => {
    const value = cell(row, column);
    return value === null ? null : test(value);
  };
}

/** A column may have the name of a property that every object has. */
function cell(row: FilteredRow, column: string): Scalar | null {
  return Object.hasOwn(row, column) ? (row[column] ?? null) : null;
}

/** NaN comes after all other numbers, as in DataFusion. */
function orderOf(value: Scalar, literal: Scalar): number {
  if (value === literal) return 0;
  if (typeof value === 'string' && typeof literal === 'string') return codePointOrder(value, literal);
  return value < literal ? -1 : 1;
}

/** The order of UTF-8 bytes. JavaScript's own has the code points beyond U+FFFF, as surrogates, before U+E000. */
function codePointOrder(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return surrogatesLast(left) - surrogatesLast(right);
  }
  return a.length - b.length;
}

function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

/**
 * Each part between two `%` is matched at its first occurrence, so the time is at most the product of both lengths. Case
 * is ignored by Unicode's simple case folding, as in DataFusion.
 */
function likeMatcher(pattern: string, ignoreCase: boolean): (text: string) => boolean {
  const parts = likeParts(pattern);
  const flags = ignoreCase ? 'gisu' : 'gsu';
  const expressions = parts.map((part, index) => {
    const begin = index === 0 ? '^' : '';
    const end = index === parts.length - 1 ? '$' : '';
    return new RegExp(`${begin}${part}${end}`, flags);
  });
  return (text) => {
    let at = 0;
    for (const expression of expressions) {
      expression.lastIndex = at;
      if (!expression.test(text)) return false;
      at = expression.lastIndex;
    }
    return true;
  };
}

/** Regular expressions for the parts between the `%` of a pattern. */
function likeParts(pattern: string): string[] {
  const parts = [''];
  for (const [token] of pattern.matchAll(/\\?./gsu)) {
    if (token === '%') parts.push('');
    else parts[parts.length - 1] += token === '_' ? '.' : literalExpression(token);
  }
  return parts;
}

/** A backslash escapes the next character. At the end of a pattern, it is itself. */
function literalExpression(token: string): string {
  const character = token.length > 1 && token.startsWith('\\') ? token.slice(1) : token;
  return character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}
