/** Tables in Parquet give what pyarrow reads out of them: as metadata all columns, as captions each column of strings. CSV and TSV as Python's csv. */
// The files are by test/fixtures/make_tables.py.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { findCaptionSources } from '../src/captions/index.ts';
import { parquetRows } from '../src/captions/parquet.ts';
import { LincirError } from '../src/core/index.ts';
import { openMetadata } from '../src/pictures/index.ts';
import { parquetBatches } from '../src/pictures/metadata/parquet.ts';
import { memoryFile } from './fuzz/memory-file.ts';

type Values = readonly unknown[];

const folder = join(import.meta.dirname, 'fixtures/tables');
const pathOf = (name: string) => join(folder, `${name}.parquet`);
const expected: Readonly<Record<string, Readonly<Record<string, Values>>>> = JSON.parse(
  readFileSync(join(folder, 'expected.json'), 'utf8'),
);
const encrypted = ['encrypted', 'encrypted-column'];

/** All columns of a file by their names. */
async function metadataOf(path: string): Promise<Record<string, Values>> {
  const batches = await Array.fromAsync(parquetBatches(path));
  const rows = batches.flatMap((batch) => batch.rows);
  for (const [index, { at }] of rows.entries()) assert.equal(at, index + 1);
  return Object.fromEntries(
    batches[0]!.columns.map((name, place) => [name, rows.map(({ values }) => values[place])]),
  );
}

const captionsOf = async (name: string, column: string): Promise<Values> =>
  (await Array.fromAsync(parquetRows(memoryFile(readFileSync(pathOf(name))), [column]))).flatMap((rows) =>
    rows.map(({ caption }) => caption),
  );

test('every file is expected to give something', () => {
  const files = readdirSync(folder).flatMap((name) => /^(.*)\.parquet$/.exec(name)?.[1] ?? []);
  assert.deepEqual(files.sort(), [...Object.keys(expected), ...encrypted].sort());
});

for (const [name, columns] of Object.entries(expected)) {
  test(name, async () => {
    const found = await metadataOf(pathOf(name));
    assert.deepEqual(Object.keys(found), Object.keys(columns));
    for (const [column, values] of Object.entries(columns)) {
      const isNested = (value: unknown) => typeof value === 'object' && value !== null;
      const read = found[column]!.map((value, row) =>
        isNested(values[row]) ? JSON.parse(String(value)) : value,
      );
      assert.deepEqual(read, values, column);
    }
    for (const column of ['text', 'view', 'large', 'dictionary', 'id']) {
      const values = columns[column];
      if (values === undefined || values.some((value) => Array.isArray(value))) continue;
      assert.deepEqual(await captionsOf(name, column), values, `captions in ${column}`);
    }
  });
}

interface Delimited {
  readonly name: string;
  readonly ending: string;
  readonly content: string;
  readonly texts: Values;
}

const delimited: readonly Delimited[] = JSON.parse(readFileSync(join(folder, 'delimited.json'), 'utf8'));
for (const { name, ending, content, texts } of delimited) {
  test(`${ending}: ${name}`, async (context) => {
    const path = join(mkdtempSync(join(tmpdir(), 'lincir-tables-')), `a.${ending}`);
    context.after(() => rmSync(dirname(path), { recursive: true }));
    writeFileSync(path, content);
    const [source] = await findCaptionSources([path]);
    const captions = await Array.fromAsync(source!.captions({ onLeftOut: () => {} }));
    assert.deepEqual(captions.flat(), texts);
    const { rows } = await openMetadata(path, { reserved: new Set(), key: 'text' });
    const keys = (await Array.fromAsync(rows())).flat().map(({ key }) => key);
    // Line ends in a field come out as one kind.
    assert.deepEqual(
      keys,
      texts.map((text) => String(text).replaceAll(/\r\n?/g, '\n')),
    );
  });
}

test('what is encrypted is refused as such', async () => {
  for (const name of encrypted) {
    await assert.rejects(metadataOf(pathOf(name)), { code: 'bad-file', message: /encrypted/ });
    await assert.rejects(captionsOf(name, 'text'), { code: 'bad-file', message: /encrypted/ });
  }
});

test('columns of texts, times and numbers have these types', async () => {
  const { columns, empty } = await openMetadata(pathOf('types'), { reserved: new Set(), key: 'id' });
  assert.deepEqual(empty, []);
  const numbers = [...columns].filter(([, type]) => type === 'number').map(([name]) => name);
  assert.deepEqual(numbers, ['u8', 'u16', 'u32', 'i8', 'i16', 'f16', 'nan', 'd9', 'd18', 'd38', 'd50']);
});

test('a wrong bit anywhere is read or refused, at once and in little memory', async (context) => {
  const path = join(mkdtempSync(join(tmpdir(), 'lincir-tables-')), 'flipped.parquet');
  context.after(() => rmSync(dirname(path), { recursive: true }));
  const memory = process.memoryUsage().rss;
  const outcomes = { read: 0, refused: 0 };
  for (const name of ['delta-v1', 'nested-v2', 'types-plain', 'nulls-first-v2', 'split-v2']) {
    const bytes = readFileSync(pathOf(name));
    for (let at = 0; at < bytes.length; at += 97) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      writeFileSync(path, flipped);
      try {
        for await (const _ of parquetBatches(path));
        outcomes.read += 1;
      } catch (error) {
        assert.ok(error instanceof LincirError, `${name}: bit ${at % 8} of byte ${at}: ${error}`);
        outcomes.refused += 1;
      }
    }
  }
  assert.ok(outcomes.read > 50 && outcomes.refused > 50, JSON.stringify(outcomes));
  assert.ok(process.memoryUsage().rss - memory < 2 ** 29);
});
