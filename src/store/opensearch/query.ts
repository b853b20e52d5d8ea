/** Turns filters into OpenSearch's queries. */

import { type Filter, withComparedNames } from '../filter/filter.ts';
import { foldedCase } from '../filter/fold.ts';
import { comparedField, foldedField } from './fields.ts';

export type Query = Readonly<Record<string, unknown>>;

const ranges = { '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' } as const;
const opposites = { '<': '>=', '<=': '>', '>': '<=', '>=': '<' } as const;

/** The query of a filter whose names are as users write them. */
export function filterQuery(filter: Filter): Query {
  return queryOf(withComparedNames(filter), false);
}

/** Negations go down to the conditions, because a condition on null and its opposite are both not true. */
function queryOf(filter: Filter, negated: boolean): Query {
  switch (filter.kind) {
    case 'compare': {
      const field = comparedField(filter.column);
      const { operator, value } = filter;
      if (operator === '=' || operator === '!=') {
        return condition(filter.column, { term: { [field]: value } }, negated !== (operator === '!='));
      }
      return { range: { [field]: { [ranges[negated ? opposites[operator] : operator]]: value } } };
    }
    case 'in':
      return condition(filter.column, { terms: { [comparedField(filter.column)]: filter.values } }, negated);
    case 'like': {
      const { column, pattern, ignoreCase } = filter;
      const field = ignoreCase ? foldedField(column) : comparedField(column);
      const value = wildcardOf(ignoreCase ? foldedCase(pattern) : pattern);
      // An empty pattern passes nothing, and not the empty text.
      const query = value === '' ? { term: { [field]: '' } } : { wildcard: { [field]: { value } } };
      return condition(column, query, negated);
    }
    case 'null':
      return negated ? exists(filter.column) : { bool: { must_not: [exists(filter.column)] } };
    case 'not':
      return queryOf(filter.of, !negated);
    case 'and':
    case 'or': {
      const parts = filter.of.map((part) => queryOf(part, negated));
      return (filter.kind === 'and') === negated
        ? { bool: { should: parts, minimum_should_match: 1 } }
        : { bool: { filter: parts } };
    }
  }
}

function exists(column: string): Query {
  return { exists: { field: comparedField(column) } };
}

function condition(column: string, query: Query, negated: boolean): Query {
  return negated ? { bool: { filter: [exists(column)], must_not: [query] } } : query;
}

/** `%` and `_` are `*` and `?`. Both languages escape by a backslash. */
function wildcardOf(pattern: string): string {
  const token = (text: string) => {
    if (text === '%') return '*';
    if (text === '_') return '?';
    return (text.length > 1 && text.startsWith('\\') ? text.slice(1) : text).replace(/[\\*?]/, '\\$&');
  };
  return Array.from(pattern.matchAll(/\\?./gsu), ([text]) => token(text)).join('');
}
