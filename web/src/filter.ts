/** Filters as conditions that a person builds, and as text in the filter language. The text is what counts. */

import type { ColumnFacts } from '../../src/api/index.ts';

type ColumnType = ColumnFacts['type'];

const operators = {
  is: 'is',
  isNot: 'is not',
  contains: 'contains',
  containsNot: 'does not contain',
  begins: 'begins with',
  least: 'at least',
  most: 'at most',
  empty: 'is empty',
  filled: 'is not empty',
} as const;

export type Operator = keyof typeof operators;

export interface Condition {
  readonly column: string;
  readonly operator: Operator;
  readonly value: string;
}

export interface Conditions {
  readonly join: 'and' | 'or';
  readonly conditions: readonly Condition[];
}

/** What one can ask of a column, the likeliest first. */
const byType: Readonly<Record<ColumnType, readonly Operator[]>> = {
  string: ['is', 'isNot', 'contains', 'containsNot', 'begins', 'least', 'most', 'empty', 'filled'],
  number: ['least', 'most', 'is', 'isNot', 'empty', 'filled'],
  time: ['least', 'most', 'empty', 'filled'],
  boolean: ['is', 'empty', 'filled'],
};

/** Texts such as `2024-05-01T14:03:22` count as dates: people ask for them from and until. */
export function operatorsOf(column: ColumnFacts): readonly Operator[] {
  return isDate(column) ? byType.time : byType[column.type];
}

export function operatorName(operator: Operator, column: ColumnFacts): string {
  if (isDate(column) && operator === 'least') return 'from';
  if (isDate(column) && operator === 'most') return 'before';
  return operators[operator];
}

export function isDate({ name, type }: ColumnFacts): boolean {
  return type === 'time' || (type === 'string' && name === 'taken');
}

export function needsValue(operator: Operator): boolean {
  return operator !== 'empty' && operator !== 'filled';
}

/** A condition is whole when it can be searched with. */
export function isWhole({ operator, value }: Condition, column: ColumnFacts): boolean {
  if (!needsValue(operator)) return true;
  if (column.type === 'number') return value.trim() !== '' && Number.isFinite(Number(value));
  return value !== '';
}

export function filterText({ join, conditions }: Conditions, columns: readonly ColumnFacts[]): string {
  return conditions
    .map((condition) =>
      conditionText(
        condition,
        columns.find(({ name }) => name === condition.column),
      ),
    )
    .join(` ${join} `);
}

function conditionText({ column, operator, value }: Condition, facts: ColumnFacts | undefined): string {
  const name = columnText(column);
  const literal =
    facts?.type === 'number' || facts?.type === 'boolean' ? value.trim() : `'${value.replaceAll("'", "''")}'`;
  const pattern = (before: string) => `'${before}${value.replace(/[\\%_]/g, '\\$&').replaceAll("'", "''")}%'`;
  switch (operator) {
    case 'is':
      return `${name} = ${literal}`;
    case 'isNot':
      return `${name} != ${literal}`;
    case 'contains':
      return `${name} ilike ${pattern('%')}`;
    case 'containsNot':
      return `${name} not ilike ${pattern('%')}`;
    case 'begins':
      return `${name} ilike ${pattern('')}`;
    case 'least':
      return `${name} >= ${literal}`;
    case 'most':
      return facts && isDate(facts) ? `${name} < ${literal}` : `${name} <= ${literal}`;
    case 'empty':
      return `${name} is null`;
    case 'filled':
      return `${name} is not null`;
  }
}

const reserved = /^(?:and|or|not|in|like|ilike|between|is|null|true|false)$/i;

function columnText(name: string): string {
  const isPlain = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) && !reserved.test(name);
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}

/** One condition, and what joins it to the next. */
const name = String.raw`(?<plain>[\p{L}_][\p{L}\p{N}_]*)|"(?<quoted>(?:[^"]|"")+)"`;
const value = String.raw`'(?<text>(?:[^']|'')*)'|(?<bare>[-+.\w]+)`;
const condition = new RegExp(
  String.raw`\s*(?:${name})\s*(?:(?<null>is\s+(?:not\s+)?null)|(?<operator>=|!=|>=|<=|<|(?:not\s+)?ilike)\s*(?:${value}))\s*(?:(?<join>and|or)\b|$)`,
  'iuy',
);

/** The conditions that a text has, if it is no more than conditions joined in one way. */
export function conditionsOf(filter: string, columns: readonly ColumnFacts[]): Conditions | undefined {
  const conditions: Condition[] = [];
  const joins = new Set<string>();
  condition.lastIndex = 0;
  while (condition.lastIndex < filter.length) {
    const groups = condition.exec(filter)?.groups;
    if (groups === undefined) return undefined;
    const column = groups.plain ?? groups.quoted!.replaceAll('""', '"');
    const facts = columns.find((one) => one.name === column);
    const read = facts && readCondition(groups, facts);
    if (read === undefined) return undefined;
    conditions.push({ column, ...read });
    if (groups.join) joins.add(groups.join.toLowerCase());
    else if (condition.lastIndex < filter.length) return undefined;
  }
  if (joins.size > 1 || /\b(?:and|or)\s*$/i.test(filter)) return undefined;
  return { join: joins.has('or') ? 'or' : 'and', conditions };
}

function readCondition(
  groups: Readonly<Record<string, string | undefined>>,
  facts: ColumnFacts,
): Omit<Condition, 'column'> | undefined {
  if (groups.null) return { operator: /not/i.test(groups.null) ? 'filled' : 'empty', value: '' };
  const literal = groups.text?.replaceAll("''", "'") ?? groups.bare ?? '';
  const operator = groups.operator!.toLowerCase().replace(/\s+/g, ' ');
  if (operator.endsWith('ilike')) {
    const [, before, inner] = /^(%?)((?:[^\\%_]|\\.)*)%$/su.exec(literal) ?? [];
    if (inner === undefined || (operator !== 'ilike' && before !== '%')) return undefined;
    const kind = operator !== 'ilike' ? 'containsNot' : before === '%' ? 'contains' : 'begins';
    return { operator: kind, value: inner.replace(/\\(.)/gsu, '$1') };
  }
  const most = isDate(facts) ? '<' : '<=';
  const kinds: Readonly<Record<string, Operator>> = {
    '=': 'is',
    '!=': 'isNot',
    '>=': 'least',
    [most]: 'most',
  };
  const kind = kinds[operator];
  return kind && operatorsOf(facts).includes(kind) ? { operator: kind, value: literal } : undefined;
}

/** Adds a condition to any filter. */
export function narrowed(filter: string, added: Condition, columns: readonly ColumnFacts[]): string {
  const text = filterText({ join: 'and', conditions: [added] }, columns);
  const current = conditionsOf(filter, columns);
  if (filter.trim() === '') return text;
  if (current?.conditions.some((one) => one.column === added.column && one.operator === added.operator))
    return filterText(
      {
        ...current,
        conditions: current.conditions.map((one) =>
          one.column === added.column && one.operator === added.operator ? added : one,
        ),
      },
      columns,
    );
  return current && current.join === 'and' ? `${filter} and ${text}` : `(${filter}) and ${text}`;
}
