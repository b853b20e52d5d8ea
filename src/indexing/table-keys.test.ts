/** Keys of tables, and the images that they mean. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imagesOfKeys } from './table-keys.ts';

/** For each key, the paths that it means. */
async function meant(
  keys: readonly string[],
  paths: readonly string[],
  table: string,
  sources: readonly string[] = [],
) {
  const pictures = async function* () {
    yield paths.map((path) => ({ id: path, path }));
  };
  const rows = async function* () {
    yield* keys.map((key) => ({ key }));
  };
  const outcomes = [];
  for (const options of [{}, { rowsPerScan: 2, held: 1 }, { held: 0 }]) {
    const found = await Array.fromAsync(imagesOfKeys(rows, pictures, table, sources, options));
    assert.deepEqual(
      found.map(({ row }) => row.key),
      keys,
    );
    outcomes.push(found.map(({ row, images }) => [row.key, images.map(({ path }) => path)]));
  }
  assert.deepEqual(outcomes[1], outcomes[0]);
  assert.deepEqual(outcomes[2], outcomes[0]);
  return Object.fromEntries(outcomes[0]!);
}

test('paths, and names below the folder of the table or an indexed one', async () => {
  const paths = ['/d/a.png', '/d/x/b.png', '/e/a.png', '/e/y/c.png', 'ready//one', '/a.png'];
  const keys = [
    'a.png',
    './a.png',
    'x//b.png',
    '../e/a.png',
    '/d/a.png',
    'y/c.png',
    'ready//one',
    'z/../a.png',
    'c.png',
  ];
  assert.deepEqual(await meant(keys, paths, '/d/m.csv', ['/e']), {
    'a.png': ['/d/a.png', '/e/a.png'],
    './a.png': ['/d/a.png', '/e/a.png'],
    'x//b.png': ['/d/x/b.png'],
    '../e/a.png': ['/e/a.png'],
    '/d/a.png': ['/d/a.png'],
    'y/c.png': ['/e/y/c.png'],
    'ready//one': ['ready//one'],
    'z/../a.png': ['/d/a.png', '/e/a.png'],
    'c.png': [],
  });
  assert.deepEqual(await meant(['a.png'], ['/a.png', '/b/a.png'], '/m.csv'), { 'a.png': ['/a.png'] });
});

test('members of shards, those of the shard of the same name first', async () => {
  const paths = ['/d/0.tar!/a.png', '/d/1.tar!/a.png', '/d/1.tar!/x/b.png', '/d/0.tar!/c.png', '/d/a.png'];
  const shards = ['/d/0.tar', '/d/1.tar'];
  const keys = ['a.png', 'x/b.png', '1.tar!/x/b.png'];
  assert.deepEqual(await meant(keys, paths, '/t/m.csv', shards), {
    'a.png': paths.slice(0, 2),
    'x/b.png': [paths[2]],
    '1.tar!/x/b.png': [],
  });
  assert.deepEqual(await meant(keys, paths, '/d/1.parquet', shards), {
    'a.png': [paths[1], paths[4]],
    'x/b.png': [paths[2]],
    '1.tar!/x/b.png': [paths[2]],
  });
  assert.deepEqual(await meant(['c.png', 'c'], paths, '/d/0.jsonl'), { 'c.png': [paths[3]], c: [paths[3]] });
  assert.deepEqual(await meant(['c.png'], paths, '/d/2.jsonl'), { 'c.png': [] });
});

test("names without endings, as img2dataset's and WebDataset's keys are", async () => {
  const paths = [
    '/d/0/000.jpg',
    '/d/0/001.left.jpg',
    '/d/0/001.right.jpg',
    '/d/0/002',
    '/d/0/002.png',
    '/d/0/.003',
  ];
  assert.deepEqual(await meant(['000', '001', '001.left', '002', '.003', ''], paths, '/d/0.parquet'), {
    '000': [paths[0]],
    '001': [paths[1], paths[2]],
    '001.left': [paths[1]],
    '002': [paths[3]],
    '.003': [paths[5]],
    '': [],
  });
});

test('names in every form of Unicode; of equivalent ones, that which is written so', async () => {
  const twins = ['/d/\u00e9.png', '/d/e\u0301.png'];
  assert.deepEqual(await meant(twins, twins, '/t/m.csv'), {
    [twins[0]!]: [twins[0]],
    [twins[1]!]: [twins[1]],
  });
  const half = '/E\u0301/\u00e9.png';
  const keys = ['\u00c9/\u00e9.png', 'E\u0301/e\u0301.png', 'E\u0301/e\u0301'];
  assert.deepEqual(Object.values(await meant(keys, [half], '/t/m.csv', ['/'])), [[half], [half], [half]]);
});
