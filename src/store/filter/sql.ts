/** Turns filters into SQL for a store that uses DataFusion, such as LanceDB. */

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
 * and times must be float64, because LanceDB converts a literal to the column's type, even if digits are lost.
 * @param columnSql SQL for a column
 */
export function filterSql(filter: Filter, columnSql: (name: string) => string = nameSql): string {
  return sqlOf(filter, false, 'or', columnSql);
}

/**
 * Negations are pushed down to the conditions (De Morgan's laws also hold in three-valued logic), and parentheses are
 * written only where needed: LanceDB's SQL parser accepts few levels of them, and every `not (` makes it far slower.
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

/** In LanceDB's SQL, double quotes enclose strings. Names of columns have no backticks. */
export function nameSql(name: string): string {
  return `\`${name}\``;
}

/** A backslash is an ordinary character in DataFusion's strings. */
function scalarSql(value: Scalar): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}
