/** Captions out of Parquet in every encoding, only the bytes that are needed, and nothing but refusals for the rest. */
// The files and rows.json are by test/fixtures/make_parquet.py.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryFile } from '../../test/fuzz/memory-file.ts';
import { LincirError } from '../core/index.ts';
import type { ParquetFile } from '../tables/index.ts';
import { parquetRows } from './parquet.ts';

const folder = join(import.meta.dirname, '../../test/fixtures/captions');
const fixture = (name: string) => readFileSync(join(folder, `${name}.parquet`));
const rows: readonly (string | null)[] = JSON.parse(readFileSync(join(folder, 'rows.json'), 'utf8'));
const others = ['empty', 'invalid-utf8', 'no-strings', 'required'];
const encodings = readdirSync(folder)
  .filter((name) => name.endsWith('.parquet'))
  .map((name) => name.replace('.parquet', ''))
  .filter((name) => !others.includes(name));

async function readRows(file: ParquetFile, columns: readonly string[] = ['text']) {
  const batches = await Array.fromAsync(parquetRows(file, columns));
  return batches.flat().map(({ caption, at }, index) => {
    assert.equal(at, index + 1);
    return caption;
  });
}

/** Asserts that a file either gives rows of text or is refused as broken. */
async function readsOrRefuses(bytes: Uint8Array, change: string): Promise<'read' | 'refused'> {
  try {
    for (const caption of await readRows(memoryFile(bytes))) {
      assert.ok(caption === null || typeof caption === 'string', change);
    }
    return 'read';
  } catch (error) {
    assert.ok(error instanceof LincirError, `${change}: ${error}`);
    assert.equal(error.code, 'bad-file', change);
    return 'refused';
  }
}

async function refuses(name: string, message: RegExp, columns?: readonly string[]) {
  await assert.rejects(readRows(memoryFile(fixture(name), `${name}.parquet`), columns), (error) => {
    assert.ok(error instanceof LincirError && error.code === 'bad-file', String(error));
    assert.match(error.message, message);
    return true;
  });
}

test('the same rows come out of every encoding and compression', async () => {
  assert.ok(encodings.length >= 10);
  for (const name of encodings) assert.deepEqual(await readRows(memoryFile(fixture(name))), rows, name);
  assert.deepEqual(await readRows(memoryFile(fixture('required'))), ['a cat', 'a dog', 'a boat']);
  assert.deepEqual(await readRows(memoryFile(fixture('empty'))), []);
});

test('the first wanted column that there is counts', async () => {
  const sources = await readRows(memoryFile(fixture('zstd')), ['caption', 'source', 'text']);
  assert.deepEqual(sources, Array(rows.length).fill('made up'));
});

test('the footer is read once, then the column alone', async () => {
  const bytes = fixture('snappy');
  const reads: number[][] = [];
  const file = memoryFile(bytes);
  const read: ParquetFile['read'] = (offset, length) => {
    reads.push([offset, length]);
    return file.read(offset, length);
  };
  await readRows({ ...file, read });
  assert.equal(reads.length, 2);
  const [, [begin, length] = []] = reads;
  const text = Buffer.from(bytes).indexOf('a red sofa 0');
  assert.ok(begin! < text && begin! + length! < bytes.length - 800, `${reads}`);
});

test('an unknown column, and one without strings, lists those that there are', async () => {
  await refuses(
    'zstd',
    /expected the column "caption" or "title", found the columns "id", "text", "source"/,
    ['caption', 'title'],
  );
  await refuses('zstd', /"id", found INT64; choose a column of strings out of "text", "source"$/, ['id']);
  await refuses('no-strings', /no-strings\.parquet: .*"text", found INT64; .*strings out of none$/);
  await refuses('no-strings', /found nested values/, ['lists']);
});

test('bytes that are not UTF-8 are named with their row', async () => {
  await refuses('invalid-utf8', /^invalid-utf8\.parquet: row 3: expected text in UTF-8/);
});

test('a file that lacks bytes is refused', async () => {
  const whole = fixture('snappy');
  for (let cut = 1; cut <= whole.length; cut += 1) {
    assert.equal(await readsOrRefuses(whole.subarray(0, -cut), `without the last ${cut}`), 'refused');
    // The footer is whole, and points into what is not there.
    await readsOrRefuses(whole.subarray(cut), `without the first ${cut}`);
  }
});

test('a file with a wrong bit is read or refused, at once and in little memory', async () => {
  const outcomes = { read: 0, refused: 0 };
  const memory = process.memoryUsage().rss;
  for (const name of ['plain', 'snappy', 'dictionary', 'pages-v2', 'delta']) {
    const bytes = fixture(name);
    for (let at = 0; at < bytes.length; at += 7) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      outcomes[await readsOrRefuses(flipped, `${name}: bit ${at % 8} of byte ${at}`)] += 1;
    }
  }
  assert.ok(outcomes.read > 300 && outcomes.refused > 300, JSON.stringify(outcomes));
  assert.ok(process.memoryUsage().rss - memory < 2 ** 29);
});
