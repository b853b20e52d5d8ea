/** Filters and rows that find what stores may do otherwise than `filterPredicate`. */

import { sequence } from '../src/core/index.ts';
import type { Columns, ColumnType, Scalar } from '../src/store/filter/filter.ts';
import type { FilteredRow } from '../src/store/filter/predicate.ts';

export const filterColumns: Columns = new Map<string, ColumnType>([
  ['folder', 'string'],
  ['My Camera', 'string'],
  ['it\'s "quoted" \\ 🥊; --', 'string'],
  ['rating', 'number'],
  ['Select', 'number'],
  ['hidden', 'boolean'],
  ['constructor', 'boolean'],
  ['taken', 'time'],
]);

/** What goes wrong in quoting, in patterns, in order and in case. */
const texts = [
  ...[
    '',
    'a',
    'A',
    'ab',
    'b',
    "it's",
    "''",
    '"',
    'a"b',
    '`',
    '\\',
    'a\\',
    'a\\b',
    '\\%',
    'a%b',
    '%',
    '_',
    'a_b',
  ],
  ...[
    '🥊',
    'a🥊b',
    '\uFFFF',
    '\uE000',
    'a\nb',
    'a\r\nb',
    '\n',
    'a\0b',
    'é',
    'É',
    'ß',
    'ẞ',
    'ſ',
    's',
    '\u212A',
    'k',
  ],
  ...[
    'İ',
    'i',
    '[a]',
    'a.b',
    '^a$',
    '(a|b)*',
    '; drop table t',
    '--',
    '/*',
    '$1',
    '?',
    'aaaaab',
    'NULL',
    'true',
  ],
];
const numbers = [
  0,
  -0,
  1,
  -1,
  2,
  0.1,
  0.30000000000000004,
  -2.5,
  1e21,
  1e-7,
  5e-324,
  Number.MAX_VALUE,
  2 ** 53,
];
const times = [0, -1, 1714521600000, 1714521600001, 253402300799999];

/** Rows and filters are drawn from one sequence, so that a failure comes again. */
const random = sequence({ seed: 11, purpose: 'noise', moment: 0, row: 0 });
const whole = (limit: number): number => Math.floor(random() * limit);
const pick = <Item>(items: readonly Item[]): Item => items[whole(items.length)]!;

function randomScalar(type: ColumnType): Scalar {
  if (type === 'string') return pick(texts);
  if (type === 'boolean') return random() < 0.5;
  return pick(type === 'time' ? times : numbers);
}

export const filteredRows: readonly FilteredRow[] = Array.from({ length: 300 }, () =>
  Object.fromEntries(
    [...filterColumns].map(([name, type]) => [name, random() < 0.15 ? null : randomScalar(type)]),
  ),
);

function literal(value: Scalar): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}

function randomPattern(): string {
  const pieces = [
    '%',
    '%',
    '_',
    '_',
    '\\%',
    '\\_',
    '\\\\',
    '\\a',
    'a',
    'b',
    'A',
    'É',
    '🥊',
    '\n',
    '.',
    '[',
    '\\',
  ];
  if (random() < 0.3) return pick(['%', '']) + pick(texts) + pick(['%', '']);
  return Array.from({ length: whole(5) }, () => pick(pieces)).join('');
}

function randomCondition(): string {
  const [name, type] = pick([...filterColumns]);
  const column = `"${name.replaceAll('"', '""')}"`;
  const value = () => literal(randomScalar(type));
  const not = pick(['', 'not ']);
  const kind = random();
  if (kind < 0.1) return `${column} is ${not}null`;
  if (kind < 0.25) return `${column} ${not}in (${Array.from({ length: 1 + whole(6) }, value).join(', ')})`;
  if (type === 'boolean') return pick([column, `${column} ${pick(['=', '!='])} ${value()}`]);
  if (kind < 0.35) return `${column} ${not}between ${value()} and ${value()}`;
  if (type === 'string' && kind < 0.7) {
    return `${column} ${not}${pick(['like', 'ilike'])} ${literal(randomPattern())}`;
  }
  return `${column} ${pick(['=', '!=', '<', '<=', '>', '>='])} ${value()}`;
}

function randomFilter(depth: number): string {
  if (depth === 0 || random() < 0.3) return randomCondition();
  const parts = Array.from({ length: 1 + whole(3) }, () => randomFilter(depth - 1));
  const sums = parts.map((part, index) => (index === 0 ? part : `${pick(['and', 'or'])} ${part}`)).join(' ');
  return `${pick(['', 'not '])}(${sums})`;
}

/** Everything at the limit of nesting, with each level as deep as it can be for the SQL parser. */
function deepest(leaf: string): string {
  let filter = leaf;
  for (let depth = 0; depth < 12; depth += 1) {
    const not = depth % 3 === 0 ? 'not ' : '';
    filter = `rating = 1 and hidden or folder is null and taken > 5 and ${not}(${filter})`;
  }
  return filter;
}

export function randomFilters(): string[] {
  const texts = Array.from({ length: 500 }, (_, index) => randomFilter(index % 4));
  texts.push(
    deepest("folder not ilike '%a\\_%'"),
    deepest('rating not in (1, 2)'),
    Array(1000).fill("rating != 1 and folder < 'b' or hidden").slice(0, 333).join(' and '),
    `rating not in (${Array.from({ length: 10_000 }, (_, index) => index + 1).join()})`,
    `folder in (${Array.from({ length: 5000 }, (_, index) => `'${index}'`).join()}, 'a')`,
    `folder like '${'%a'.repeat(5000)}%'`,
    `folder like '${'_'.repeat(5000)}'`,
    `"My Camera" ilike '${'É%'.repeat(5000)}'`,
  );
  return texts;
}
