/** The SQL of a filter, and that LanceDB and the predicate pass the same rows. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sequence } from '../../core/index.ts';
import { fieldOf, scalars, tableOf } from '../lance/rows.ts';
import { type Columns, type ColumnType, parseFilter, type Scalar } from './filter.ts';
import { type FilteredRow, filterPredicate } from './predicate.ts';
import { filterSql } from './sql.ts';

const columns: Columns = new Map<string, ColumnType>([
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

const rows: readonly FilteredRow[] = Array.from({ length: 300 }, () =>
  Object.fromEntries([...columns].map(([name, type]) => [name, random() < 0.15 ? null : randomScalar(type)])),
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
  const [name, type] = pick([...columns]);
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

async function createTable(folder: string) {
  process.env.LANCEDB_LOG = 'error';
  const { connect } = await import('@lancedb/lancedb');
  const table = tableOf([
    scalars(fieldOf('id', 'number'), [...rows.keys()]),
    ...[...columns].map(([name, type]) =>
      scalars(
        fieldOf(name, type, true),
        rows.map((row) => row[name] ?? null),
      ),
    ),
  ]);
  return (await connect(folder)).createTable('rows', table);
}

test('LanceDB passes the rows that the predicate passes', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-filter-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const table = await createTable(folder);
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
  let telling = 0;
  await Promise.all(
    texts.map(async (text) => {
      const filter = parseFilter(text, columns);
      const passes = filterPredicate(filter);
      const wanted = [...rows.keys()].filter((id) => passes(rows[id]!));
      const sql = filterSql(filter);
      const found = await table.query().where(sql).select(['id']).limit(rows.length).toArray();
      const ids = found.map((row) => Number(row.id)).sort((a, b) => a - b);
      assert.deepEqual(ids, wanted, `${text.slice(0, 1000)}\n${sql.slice(0, 1000)}`);
      if (wanted.length > 0 && wanted.length < rows.length) telling += 1;
    }),
  );
  assert.ok(telling > texts.length * 0.7, `only ${telling} filters tell rows apart`);
});

test('SQL quotes what is named, and negates conditions rather than groups', () => {
  const sql = (text: string) => filterSql(parseFilter(text, columns));
  assert.equal(
    sql(
      `not ("My Camera" = 'it''s' or rating > 1 and not ("Select" in (1, 2) or hidden)) and taken is not null`,
    ),
    "`My Camera` != 'it''s' and (`rating` <= 1 or `Select` in (1, 2) or `hidden` = true) and `taken` is not null",
  );
  assert.equal(sql(`"it's ""quoted"" \\ 🥊; --" ilike '\\'`), `\`it's "quoted" \\ 🥊; --\` ilike '\\'`);
  assert.equal(sql('rating not between -1e300 and 5e-324'), '`rating` < -1e+300 or `rating` > 5e-324');
});

test('unknown is neither true nor false, and patterns take time by the product of lengths', () => {
  const passes = (text: string, row: FilteredRow) => filterPredicate(parseFilter(text, columns))(row);
  for (const text of [
    'rating = 1',
    'not rating = 1',
    'hidden',
    'not hidden',
    "folder like '%'",
    'rating not in (1)',
  ]) {
    assert.equal(passes(text, { rating: null }), false, text);
  }
  assert.equal(passes('rating = 1 or rating is null', {}), true);
  assert.equal(passes('constructor is null', {}), true);
  assert.equal(passes('rating > 1', { rating: Number.NaN }), true);
  assert.equal(passes(`folder like '${'%a'.repeat(50)}%b'`, { folder: 'a'.repeat(5000) }), false);
  assert.equal(passes(`folder ilike '${'%_A'.repeat(50)}%'`, { folder: 'a'.repeat(5000) }), true);
});
