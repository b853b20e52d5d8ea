/** Filters as SQL for a store that speaks DataFusion's, as LanceDB does. */

import type { Filter, Operator, Scalar } from './filter.ts';

const opposites: Readonly<Record<Operator, Operator>> = {
  '=': '!=',
  '!=': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
};

/**
 * A condition for `where`. Names and strings are quoted, so that no value of the filter is read as SQL. Columns of numbers
 * and times must be float64: LanceDB turns a literal into the column's type, whatever is lost.
 * @param columnSql what stands for a column
 */
export function filterSql(filter: Filter, columnSql: (name: string) => string = nameSql): string {
  return sqlOf(filter, false, 'or', columnSql);
}

/**
 * Negations are carried down to the conditions (De Morgan's laws hold in three-valued logic, too), and parentheses stand
 * only where needed: LanceDB's SQL parser takes few levels of parentheses, and far longer with every `not (`.
 */
function sqlOf(
  filter: Filter,
  negated: boolean,
  within: 'and' | 'or',
  columnSql: (name: string) => string,
): string {
  const not = negated ? 'not ' : '';
  switch (filter.kind) {
    case 'compare': {
      const operator = negated ? opposites[filter.operator] : filter.operator;
      return `${columnSql(filter.column)} ${operator} ${scalarSql(filter.value)}`;
    }
    case 'in':
      return `${columnSql(filter.column)} ${not}in (${filter.values.map(scalarSql).join(', ')})`;
    case 'like': {
      const operator = filter.ignoreCase ? 'ilike' : 'like';
      return `${columnSql(filter.column)} ${not}${operator} ${scalarSql(filter.pattern)}`;
    }
    case 'null':
      return `${columnSql(filter.column)} is ${not}null`;
    case 'not':
      return sqlOf(filter.of, !negated, within, columnSql);
    case 'and':
    case 'or': {
      const kind = (filter.kind === 'and') === negated ? 'or' : 'and';
      const sql = filter.of.map((part) => sqlOf(part, negated, kind, columnSql)).join(` ${kind} `);
      return kind === 'or' && within === 'and' ? `(${sql})` : sql;
    }
  }
}

/** In LanceDB's SQL, what stands in double quotes is a string. Names of columns have no backticks. */
export function nameSql(name: string): string {
  return `\`${name}\``;
}

/** A backslash is a character like any other in DataFusion's strings. */
function scalarSql(value: Scalar): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}
