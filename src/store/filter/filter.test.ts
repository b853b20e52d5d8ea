/** What the filter language reads, and what its errors say. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LincirError } from '../../core/index.ts';
import { type Columns, type ColumnType, type Filter, parseFilter } from './filter.ts';

const columns: Columns = new Map<string, ColumnType>([
  ['folder', 'string'],
  ['rating', 'number'],
  ['hidden', 'boolean'],
  ['taken', 'time'],
  ['my "own" column', 'string'],
  ['in', 'number'],
  ['größe', 'number'],
]);

function parse(text: string): Filter {
  return parseFilter(text, columns);
}

function refuses(text: string, message: RegExp): void {
  const expected = (error: unknown) =>
    error instanceof LincirError && error.code === 'bad-argument' && message.test(error.message);
  assert.throws(() => parse(text), expected, `${text.slice(0, 80)} is to be refused with ${message}`);
}

test('conditions of every kind are read', () => {
  const rating = { kind: 'compare', column: 'rating' } as const;
  const cases: Readonly<Record<string, Filter>> = {
    'rating = 4': { ...rating, operator: '=', value: 4 },
    'rating==-4.5': { ...rating, operator: '=', value: -4.5 },
    'rating<>+1e2': { ...rating, operator: '!=', value: 100 },
    'rating != .5': { ...rating, operator: '!=', value: 0.5 },
    'rating\n<=\t5.E-1': { ...rating, operator: '<=', value: 0.5 },
    '"rating">=0': { ...rating, operator: '>=', value: 0 },
    'größe < 1': { kind: 'compare', column: 'größe', operator: '<', value: 1 },
    "folder = 'it''s \"a\" \\ 🥊'": {
      kind: 'compare',
      column: 'folder',
      operator: '=',
      value: 'it\'s "a" \\ 🥊',
    },
    '"my ""own"" column" > \'\'': {
      kind: 'compare',
      column: 'my "own" column',
      operator: '>',
      value: '',
    },
    hidden: { kind: 'compare', column: 'hidden', operator: '=', value: true },
    'hidden != FALSE': { kind: 'compare', column: 'hidden', operator: '!=', value: false },
    '"in" IN (1,2 , 3)': { kind: 'in', column: 'in', values: [1, 2, 3] },
    "folder not in ('a')": { kind: 'not', of: { kind: 'in', column: 'folder', values: ['a'] } },
    "folder Like '50\\%'": { kind: 'like', column: 'folder', pattern: '50\\%', ignoreCase: false },
    "folder not ilike 'a%'": {
      kind: 'not',
      of: { kind: 'like', column: 'folder', pattern: 'a%', ignoreCase: true },
    },
    'taken is null': { kind: 'null', column: 'taken' },
    'taken IS NOT NULL': { kind: 'not', of: { kind: 'null', column: 'taken' } },
    'taken in (5, -5)': { kind: 'in', column: 'taken', values: [5, -5] },
  };
  for (const [text, filter] of Object.entries(cases)) assert.deepEqual(parse(text), filter, text);
});

test('not binds before and, and before or, parentheses before all', () => {
  const is = (value: number): Filter => ({ kind: 'compare', column: 'rating', operator: '=', value });
  assert.deepEqual(parse('rating = 1 or rating = 2 AND not rating = 3 Or not not rating = 4'), {
    kind: 'or',
    of: [is(1), { kind: 'and', of: [is(2), { kind: 'not', of: is(3) }] }, is(4)],
  });
  assert.deepEqual(parse('not (rating = 1 or rating = 2) and (rating = 3)'), {
    kind: 'and',
    of: [{ kind: 'not', of: { kind: 'or', of: [is(1), is(2)] } }, is(3)],
  });
  const between: Filter = {
    kind: 'and',
    of: [
      { kind: 'compare', column: 'rating', operator: '>=', value: 1 },
      { kind: 'compare', column: 'rating', operator: '<=', value: 2 },
    ],
  };
  assert.deepEqual(parse('rating between 1 and 2 and rating not between 1 and 2'), {
    kind: 'and',
    of: [between, { kind: 'not', of: between }],
  });
});

test('dates are local midnights, times local or of their zone', () => {
  const taken = (literal: string) => {
    const filter = parse(`taken >= '${literal}'`);
    assert.ok(filter.kind === 'compare');
    return filter.value;
  };
  assert.equal(taken('2024-05-01'), new Date(2024, 4, 1).getTime());
  assert.equal(taken('2024-02-29 12:30'), new Date(2024, 1, 29, 12, 30).getTime());
  assert.equal(taken('2024-05-01T12:00:00Z'), Date.UTC(2024, 4, 1, 12));
  assert.equal(taken('2024-05-01T12:00:00.25+02:00'), Date.UTC(2024, 4, 1, 10, 0, 0, 250));
  for (const text of ['2024', '2024-5-1', '2023-02-29', '2024-13-01', '2024-05-01T25:00', '1 May 2024', '']) {
    refuses(
      `taken < '${text}'`,
      /character 9: expected a date or time like .* for the column "taken", found/,
    );
  }
});

test('errors name the place, what belongs there and what stands there', () => {
  refuses(
    "rating = 'x'",
    /^the filter "rating = 'x'": character 10: expected a number for the column "rating", found "'x'"$/,
  );
  refuses('folder = 4', /character 10: expected text in single quotes .* found "4"/);
  refuses('folder = "a"', /character 10: expected text in single quotes/);
  refuses("hidden = 'true'", /character 10: expected true or false/);
  refuses('rating = true', /character 10: expected a number/);
  refuses('rating = 1e999', /character 10: expected a number .* found "1e999"/);
  refuses('rating = null', /character 10: expected a number .* found "null"; write "is null"/);
  refuses('hidden < true', /character 8: expected a condition on the column "hidden", true or false/);
  refuses('hidden between true and true', /character 8: .* found "between"/);
  refuses("taken like '2024%'", /character 7: .* found "like"/);
  refuses('', /^the filter "": character 1: expected a column, found the end$/);
  refuses('rating', /character 7: expected an operator such as "=", found the end/);
  refuses('hidden hidden', /character 8: expected "and", "or" or the end, found "hidden"/);
  refuses('hidden not', /character 11: expected "in", "like", "ilike" or "between", found the end/);
  refuses('in = 3', /character 1: expected a column, found "in"; put a column of that name in double quotes/);
  refuses('(hidden', /character 8: expected "and", "or" or "\)", found the end/);
  refuses('hidden)', /character 7: .* found "\)"/);
  refuses('rating in ()', /character 12: expected a number/);
  refuses('rating in (1', /character 13: expected "," or "\)"/);
  refuses('rating is 4', /character 11: expected "null" or "not null", found "4"/);
  refuses('rating between 1 or 2', /character 18: expected "and", found "or"/);
  refuses("folder = '🥊' & hidden", /character 14: .* found "&"; put text in single quotes/);
  refuses("folder = 'it''s", /character 10: expected a ' that ends what this one begins, found none/);
  refuses('folder = $1', /character 10: .* found "\$"/);
});

test('an unknown column lists the columns there are', () => {
  refuses(
    'hidden and Rating = 4',
    /character 12: expected one of the columns "folder", "rating", .*"größe", found "Rating"$/,
  );
  refuses('constructor = 4', /found "constructor"/);
  const many: Columns = new Map(Array.from({ length: 25 }, (_, index) => [`c${index}`, 'number'] as const));
  assert.throws(() => parseFilter('x = 1', many), /"c19" and 5 more, found "x"$/);
});

test('size, nesting and counts are bounded', () => {
  const nested = (depth: number) => `${'('.repeat(depth)}hidden${')'.repeat(depth)}`;
  parse(nested(12));
  refuses(nested(13), /character 13: expected parentheses at most 12 deep/);
  refuses('('.repeat(60_000), /at most 12 deep/);
  assert.equal(parse(`${'not '.repeat(10_001)}hidden`).kind, 'not');
  parse(`rating in (${Array(10_000).fill(1).join()})`);
  refuses(`rating in (${Array(10_001).fill(1).join()})`, /expected at most 10000 values/);
  parse(Array(1000).fill('hidden').join(' and '));
  refuses(Array(1001).fill('hidden').join(' and '), /expected at most 1000 conditions/);
  refuses(`folder = '${'é'.repeat(2 ** 15)}'`, /^the filter: expected at most 65536 bytes, found 65547$/);
  parse(`folder = '${"''".repeat(30_000)}'`);
  refuses(`folder = '${"''".repeat(30_000)}`, /character 10: expected a '/);
});
