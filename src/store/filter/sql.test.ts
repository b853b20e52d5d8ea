/** The SQL of a filter, and that LanceDB and the predicate pass the same rows. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { filterColumns as columns, randomFilters, filteredRows as rows } from '../../../test/filters.ts';
import { fieldOf, scalars, tableOf } from '../lance/rows.ts';
import { parseFilter } from './filter.ts';
import { type FilteredRow, filterPredicate } from './predicate.ts';
import { filterSql } from './sql.ts';

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
  const texts = randomFilters();
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
