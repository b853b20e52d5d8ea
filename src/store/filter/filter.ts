/** Parses filters over the columns of a store: a small language like SQL, read into a plain tree. */

import { LincirError, nameKey, quoted } from '../../core/index.ts';

/** Times are numbers: milliseconds since 1970. */
export type ColumnType = 'string' | 'number' | 'boolean' | 'time';
export type Columns = ReadonlyMap<string, ColumnType>;
export type Scalar = string | number | boolean;
export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=';

/**
 * A condition on a row, in SQL's three-valued logic: any condition on null is unknown, the opposite of unknown is unknown,
 * and a row passes only if the whole is true. Strings are ordered by code points. Lists are never empty.
 */
export type Filter =
  | { readonly kind: 'compare'; readonly column: string; readonly operator: Operator; readonly value: Scalar }
  | { readonly kind: 'in'; readonly column: string; readonly values: readonly Scalar[] }
  /** In patterns, `%` is any run of characters, `_` is one character, and a backslash escapes the next one. */
  | { readonly kind: 'like'; readonly column: string; readonly pattern: string; readonly ignoreCase: boolean }
  | { readonly kind: 'null'; readonly column: string }
  | { readonly kind: 'not'; readonly of: Filter }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] };

/** LanceDB's SQL parser fails at little more, and its optimizer's time is quadratic in the conditions. */
const limits = { bytes: 2 ** 16, nesting: 12, conditions: 1000, values: 10_000 } as const;

const operators: Readonly<Record<string, Operator>> = {
  '=': '=',
  '==': '=',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

const keywords = [
  'and',
  'or',
  'not',
  'in',
  'like',
  'ilike',
  'is',
  'null',
  'between',
  'true',
  'false',
] as const;
type Keyword = (typeof keywords)[number];

const holds: Readonly<Record<ColumnType, string>> = {
  string: 'text in single quotes',
  number: 'a number',
  boolean: 'true or false',
  time: "a date or time like '2024-05-01' or '2024-05-01T12:00:00Z', or milliseconds since 1970",
};

/**
 * Reads a filter such as `rating >= 4 and folder = 'holiday' and not (camera like 'Canon%')`.
 *
 * Conditions: `= == != <> < <= > >=`, `[not] in (…)`, `[not] like`, `[not] ilike` (whatever the case), `is [not] null`,
 * `[not] between … and …`, and the name of a column that is true or false. They combine with `and`, `or`, `not` and
 * parentheses; keywords may have any case. Columns are bare or in double quotes, strings in single quotes; either quote
 * is doubled inside. Texts and columns match canonically equivalent ones. A time is compared with an ISO date (its midnight) or date and time, both local without a zone, or
 * with milliseconds.
 * @throws LincirError 'bad-argument' naming the character of the filter where it goes wrong, or listing the columns.
 */
export function parseFilter(text: string, columns: Columns): Filter {
  const size = new TextEncoder().encode(text).length;
  if (size > limits.bytes) {
    const expected = `at most ${limits.bytes} bytes`;
    throw new LincirError('bad-argument', { subject: 'the filter', expected, found: `${size}` });
  }
  const tokens = tokensOf(text);
  let place = 0;
  let nesting = 0;
  let conditions = 0;

  const peek = (): Token => tokens[place]!;
  const next = (): Token => {
    const token = peek();
    if (token.kind !== 'end') place += 1;
    return token;
  };
  const refuse = (token: Token, expected: string, todo?: string) =>
    refusal(text, token.at, expected, token.kind === 'end' ? 'the end' : quoted(token.text), todo);
  const is = (token: Token, wanted: Keyword | '(' | ')' | ','): boolean =>
    (token.kind === 'keyword' || token.kind === 'symbol') && token.text.toLowerCase() === wanted;
  const take = (wanted: Keyword | '(' | ')' | ','): boolean => {
    const found = is(peek(), wanted);
    if (found) place += 1;
    return found;
  };
  const need = (wanted: Keyword | '(' | ')', expected = quoted(wanted)): void => {
    if (!take(wanted)) throw refuse(peek(), expected);
  };

  const joined = (kind: 'and' | 'or', operand: () => Filter): Filter => {
    const of = [operand()];
    while (take(kind)) of.push(operand());
    return of.length === 1 ? of[0]! : { kind, of };
  };
  const anyOf = (): Filter => joined('or', () => joined('and', negation));

  const negation = (): Filter => {
    let negated = false;
    while (take('not')) negated = !negated;
    const of = is(peek(), '(') ? group() : condition();
    return negated ? { kind: 'not', of } : of;
  };

  const group = (): Filter => {
    const opening = next();
    if (nesting === limits.nesting) throw refuse(opening, `parentheses at most ${limits.nesting} deep`);
    nesting += 1;
    const filter = anyOf();
    nesting -= 1;
    need(')', '"and", "or" or ")"');
    return filter;
  };

  const condition = (): Filter => {
    const name = next();
    if (name.kind !== 'name') {
      throw refuse(
        name,
        'a column',
        name.kind === 'keyword' ? 'put a column of that name in double quotes' : undefined,
      );
    }
    const column = columnOf(name.value, columns);
    const type = columns.get(column);
    if (type === undefined) throw refusal(text, name.at, oneOf([...columns.keys()]), quoted(column));
    conditions += 1;
    if (conditions > limits.conditions) throw refuse(name, `at most ${limits.conditions} conditions`);

    if (take('is')) {
      const negated = take('not');
      need('null', negated ? '"null"' : '"null" or "not null"');
      return negate({ kind: 'null', column }, negated);
    }
    const negated = take('not');
    const token = peek();
    const operator = negated || token.kind !== 'symbol' ? undefined : operators[token.text];
    const fits = (suitable: boolean): void => {
      if (!suitable) throw refuse(token, `a condition on the column ${quoted(column)}, ${holds[type]}`);
    };
    if (operator !== undefined) {
      fits(type !== 'boolean' || operator === '=' || operator === '!=');
      place += 1;
      return { kind: 'compare', column, operator, value: value(column, type) };
    }
    if (take('in')) return negate({ kind: 'in', column, values: list(column, type) }, negated);
    if (is(token, 'like') || is(token, 'ilike')) {
      fits(type === 'string');
      place += 1;
      const pattern = String(value(column, type));
      return negate({ kind: 'like', column, pattern, ignoreCase: is(token, 'ilike') }, negated);
    }
    if (take('between')) {
      fits(type !== 'boolean');
      const from: Filter = { kind: 'compare', column, operator: '>=', value: value(column, type) };
      need('and');
      const to: Filter = { kind: 'compare', column, operator: '<=', value: value(column, type) };
      return negate({ kind: 'and', of: [from, to] }, negated);
    }
    if (type === 'boolean' && !negated) return { kind: 'compare', column, operator: '=', value: true };
    throw refuse(token, negated ? '"in", "like", "ilike" or "between"' : 'an operator such as "="');
  };

  const list = (column: string, type: ColumnType): Scalar[] => {
    need('(');
    const values: Scalar[] = [];
    do {
      if (values.length === limits.values) throw refuse(peek(), `at most ${limits.values} values`);
      values.push(value(column, type));
    } while (take(','));
    need(')', '"," or ")"');
    return values;
  };

  const value = (column: string, type: ColumnType): Scalar => {
    const token = next();
    const found = scalarOf(token, type);
    if (found !== undefined) return found;
    const todo = is(token, 'null') ? `write ${quoted('is null')} to find what is missing` : undefined;
    throw refuse(token, `${holds[type]} for the column ${quoted(column)}`, todo);
  };

  const filter = anyOf();
  if (peek().kind !== 'end') throw refuse(peek(), '"and", "or" or the end');
  return filter;
}

/** The filter for columns whose texts are in `nameKey`'s form. */
export function withComparedNames(filter: Filter): Filter {
  const compared = (value: Scalar) => (typeof value === 'string' ? nameKey(value) : value);
  switch (filter.kind) {
    case 'compare':
      return { ...filter, value: compared(filter.value) };
    case 'in':
      return { ...filter, values: filter.values.map(compared) };
    case 'like':
      return { ...filter, pattern: nameKey(filter.pattern) };
    case 'null':
      return filter;
    case 'not':
      return { ...filter, of: withComparedNames(filter.of) };
    default:
      return { ...filter, of: filter.of.map(withComparedNames) };
  }
}

/** The column of this name, or of an equivalent one. */
function columnOf(name: string, columns: Columns): string {
  if (columns.has(name)) return name;
  const key = nameKey(name);
  return [...columns.keys()].find((other) => nameKey(other) === key) ?? name;
}

interface Token {
  readonly kind: 'name' | 'keyword' | 'string' | 'number' | 'symbol' | 'end';
  /** As written in the filter. */
  readonly text: string;
  /** Without quotes. */
  readonly value: string;
  /** Where it begins, in UTF-16 units from 0. */
  readonly at: number;
}

const tokenPattern = new RegExp(
  [
    /'(?<string>[^']*(?:''[^']*)*)'(?!')/,
    /"(?<name>[^"]*(?:""[^"]*)*)"(?!")/,
    /(?<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/,
    /(?<word>[\p{L}_][\p{L}\p{M}\p{N}_]*)/u,
    /(?<symbol>[=!<>]=|<>|[=<>(),])/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'uy',
);

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const space = /\s*/y;
  for (let at = 0; ; ) {
    space.lastIndex = at;
    at += space.exec(text)![0].length;
    if (at === text.length) return [...tokens, { kind: 'end', text: '', value: '', at }];
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text);
    if (match === null) throw unreadable(text, at);
    tokens.push(tokenOf(match, at));
    at = tokenPattern.lastIndex;
  }
}

function tokenOf(match: RegExpExecArray, at: number): Token {
  const [text] = match;
  const { string, name, number, word } = match.groups!;
  if (string !== undefined) return { kind: 'string', text, value: string.replaceAll("''", "'"), at };
  if (name !== undefined) return { kind: 'name', text, value: name.replaceAll('""', '"'), at };
  if (number !== undefined) return { kind: 'number', text, value: text, at };
  if (word === undefined) return { kind: 'symbol', text, value: text, at };
  const isKeyword = (keywords as readonly string[]).includes(word.toLowerCase());
  return { kind: isKeyword ? 'keyword' : 'name', text, value: word, at };
}

function scalarOf({ kind, text, value }: Token, type: ColumnType): Scalar | undefined {
  if (kind === 'string')
    return type === 'string' ? value : type === 'time' ? millisecondsOf(value) : undefined;
  if (type === 'boolean' && kind === 'keyword') return { true: true, false: false }[text.toLowerCase()];
  if (kind !== 'number' || (type !== 'number' && type !== 'time')) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

const isoTime = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/;

function millisecondsOf(text: string): number | undefined {
  const [, date, time = '00:00', zone = ''] = isoTime.exec(text) ?? [];
  const day = Date.parse(`${date}T00:00Z`);
  // Otherwise, 30 February would mean 1 March.
  if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== date) return undefined;
  const milliseconds = Date.parse(`${date}T${time}${zone}`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

function negate(filter: Filter, negated: boolean): Filter {
  return negated ? { kind: 'not', of: filter } : filter;
}

function oneOf(names: readonly string[]): string {
  const more = names.length > 20 ? ` and ${names.length - 20} more` : '';
  return `one of the columns ${names
    .slice(0, 20)
    .map((name) => quoted(name))
    .join(', ')}${more}`;
}

function unreadable(text: string, at: number): LincirError {
  const character = String.fromCodePoint(text.codePointAt(at)!);
  if (character === "'" || character === '"')
    return refusal(text, at, `a ${character} that ends what this one begins`, 'none');
  const todo =
    'put text in single quotes, and columns with other characters than letters, digits and _ in double quotes';
  return refusal(text, at, 'a column, a value, an operator or a parenthesis', quoted(character), todo);
}

function refusal(text: string, at: number, expected: string, found: string, todo?: string): LincirError {
  // Counts characters as people do, not UTF-16 units.
  const position = [...text.slice(0, at)].length + 1;
  const subject = `the filter ${quoted(text)}: character ${position}`;
  return new LincirError('bad-argument', { subject, expected, found, todo });
}
