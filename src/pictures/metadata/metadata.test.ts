/** Types and rows of metadata out of every format, and what is refused. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { LincirError } from '../../core/index.ts';
import { openMetadata } from './metadata.ts';

const fixtures = join(import.meta.dirname, '../../../test/fixtures/captions');
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-metadata-'));
});
after(() => rm(folder, { recursive: true }));

async function read(name: string, content: string | Uint8Array, key?: string, reserved: string[] = []) {
  const path = join(folder, name);
  await writeFile(path, content);
  const file = await openMetadata(path, { ...(key && { key }), reserved: new Set(reserved) });
  const batches = await Array.fromAsync(file.rows());
  const rows = batches.flat();
  return {
    ...{ file, rows, sizes: batches.map((batch) => batch.length) },
    types: Object.fromEntries(file.columns),
    values: (column: string) => rows.map((row) => row.values[column]),
  };
}

async function refuses(name: string, content: string | Uint8Array, message: RegExp, key?: string) {
  await assert.rejects(read(name, content, key, ['path', 'size']), (error) => {
    assert.ok(error instanceof LincirError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

test('CSV: types of whole columns, values of their type', async () => {
  const { file, types, rows } = await read(
    'a.csv',
    [
      '\uFEFFfile_name,stars,seen,zip,big,mixed,none,note',
      './a.jpg,1,true,007,1,1,,"two',
      'lines, ""quoted"""',
      '././b/c.jpg,-2.5e3,False,12,9007199254740993,x,,',
      '',
      'd.jpg,,,,,true,,last',
    ].join('\r\n'),
  );
  assert.equal(file.key, 'file_name');
  assert.ok(file.size > 100 && Math.abs(file.modified - Date.now()) < 60_000);
  assert.deepEqual(types, {
    ...{ stars: 'number', seen: 'boolean', zip: 'string', big: 'string' },
    ...{ mixed: 'string', note: 'string' },
  });
  assert.deepEqual(file.empty, ['none']);
  const none = null;
  assert.deepEqual(rows, [
    {
      key: 'a.jpg',
      values: {
        ...{ stars: 1, seen: true, zip: '007', big: '1', mixed: '1', none },
        note: 'two\nlines, "quoted"',
      },
      at: 2,
    },
    {
      key: 'b/c.jpg',
      values: {
        ...{ stars: -2500, seen: false, zip: '12', big: '9007199254740993' },
        ...{ mixed: 'x', none, note: none },
      },
      at: 4,
    },
    {
      key: 'd.jpg',
      values: {
        ...{ stars: none, seen: none, zip: none, big: none, mixed: 'true', none, note: 'last' },
      },
      at: 6,
    },
  ]);
});

test('numbers as people write them, and missing ones, are the same in every format', async () => {
  const numbers = [
    ' 5',
    '.5',
    '+3',
    '1e3',
    '-2.',
    '5 ',
    'nan',
    'NaN',
    'NA',
    'null',
    'None',
    '<NA>',
    '-inf',
    '',
    '1e999',
  ];
  const expected = [5, 0.5, 3, 1000, -2, 5, ...Array(9).fill(null)];
  const csv = await read('n.csv', `path,a\n${numbers.map((text) => `x.png,${text}\n`).join('')}`);
  assert.deepEqual([csv.types, csv.values('a')], [{ a: 'number' }, expected]);
  const tsv = await read('n.tsv', `path\ta\n${numbers.map((text) => `x.png\t${text}\n`).join('')}`);
  assert.deepEqual([tsv.types, tsv.values('a')], [{ a: 'number' }, expected]);
  const json = ['5', 'NaN', '1e999', '-Infinity', 'null', '1.5'];
  const lines = await read('n.jsonl', json.map((text) => `{"path": "x", "a": ${text}}\n`).join(''));
  assert.deepEqual([lines.types, lines.values('a')], [{ a: 'number' }, [5, null, null, null, null, 1.5]]);

  // In a column of texts they are texts; what no row has a value of has no type.
  const texts = await read('t.csv', 'path,a,b,c\nx,Nan,nan, true\ny,Ada,,False \nz,,NA,nan\n');
  assert.deepEqual(texts.types, { a: 'string', c: 'boolean' });
  assert.deepEqual(texts.values('a'), ['Nan', 'Ada', null]);
  assert.deepEqual(texts.values('b'), [null, null, null]);
  assert.deepEqual(texts.values('c'), [true, false, null]);
  for (const name of ['007', '1,5', '1_000', '0x10', '٣', '1e', '.', '+', 'e3', '--1']) {
    assert.deepEqual((await read('t.csv', `path,a\nx,"${name}"\n`)).types, { a: 'string' }, name);
  }
});

test('names of columns have no spaces around them; a space after every comma is no part of what follows', async () => {
  const expected = [
    { key: 'red.png', values: { rating: 5, note: 'a "b", c' }, at: 3 },
    { key: 'blue.png', values: { rating: null, note: null }, at: 4 },
  ];
  const spaced = '\uFEFF\nrating, path , note\n5, red.png, "a ""b"", c"\n, blue.png\n';
  assert.deepEqual((await read('s.csv', spaced)).rows, expected);
  assert.deepEqual((await read('s.tsv', spaced.replaceAll(/, (?!c)|(?<=\n),/g, '\t '))).rows, expected);
  // One comma without a space is enough to keep all of them, as Python does.
  const mixed = await read('s.csv', 'rating,path, note\n5, red.png, x\n');
  assert.deepEqual(mixed.rows, [{ key: ' red.png', values: { rating: 5, note: ' x' }, at: 2 }]);
  const json = await read('s.jsonl', '{" path": "a", "n ": 1}\n');
  assert.deepEqual(json.rows, [{ key: 'a', values: { n: 1 }, at: 1 }]);
});

test('what a short row lacks is null; empty fields beyond the header are none', async () => {
  const { rows } = await read('r.csv', 'path,a,b\nx\ny,1\nz,1,2,,\n');
  assert.deepEqual(
    rows.map(({ values }) => [values.a, values.b]),
    [
      [null, null],
      [1, null],
      [1, 2],
    ],
  );
  const wide = await read('w.csv', 'path,n,,\nx,1,,\ny,2\n');
  assert.deepEqual([wide.types, wide.values('n')], [{ n: 'number' }, [1, 2]]);
  await refuses(
    'w.csv',
    'path,n,,\nx,1,,5\n',
    /line 2: expected at most 2 fields, as in the header, found 4/,
  );
});

test('a line may end as old Macs ended it', async () => {
  const { types, rows } = await read('mac.csv', 'path,n\ra.png,1\rb.png,2\r');
  assert.deepEqual(
    [types, rows.map(({ key, at }) => [key, at])],
    [
      ...[
        { n: 'number' },
        [
          ['a.png', 2],
          ['b.png', 3],
        ],
      ],
    ],
  );
});

test('TSV: quotes inside a field are characters', async () => {
  const { rows, types } = await read('a.tsv', 'id\tnote\n7\t5" disk\n8\t"a\tb"\n');
  assert.deepEqual(
    rows.map(({ key, values }) => [key, values.note]),
    [
      ['7', '5" disk'],
      ['8', 'a\tb'],
    ],
  );
  assert.deepEqual(types, { note: 'string' });
});

test('JSON lines: any object, nested values as text, exact digits', async () => {
  const { types, values, rows } = await read(
    'a.jsonl',
    [
      '{"path": "a.jpg", "n": 1, "b": true, "tags": ["x", {"y": 1}], "mixed": 1, "id": 12345678901234567890}',
      '',
      '{"path": "dir\\\\b.jpg", "n": 2.5, "b": null, "mixed": "1", "text": "7", "id": 5}',
    ].join('\n'),
  );
  assert.deepEqual(types, {
    ...{ n: 'number', b: 'boolean', tags: 'string', mixed: 'string', id: 'string', text: 'string' },
  });
  assert.deepEqual(
    rows.map(({ key, at }) => [key, at]),
    [
      ['a.jpg', 1],
      ['dir\\b.jpg', 3],
    ],
  );
  assert.deepEqual(values('n'), [1, 2.5]);
  assert.deepEqual(values('b'), [true, null]);
  assert.deepEqual(values('tags'), ['["x",{"y":1}]', null]);
  assert.deepEqual(values('mixed'), ['1', '1']);
  assert.deepEqual(values('id'), ['12345678901234567890', '5']);
  assert.deepEqual(values('text'), [null, '7']);
});

test('many rows come in batches, and a column may first appear late', async () => {
  const lines = Array.from({ length: 5000 }, (_, index) => `{"file": "${index}.jpg", "i": ${index}}\n`);
  const { sizes, values, types } = await read('many.jsonl', `${lines.join('')}{"file": "x", "late": true}\n`);
  assert.ok(sizes.length >= 3 && sizes.every((size) => size <= 2048), `${sizes}`);
  assert.deepEqual(values('i'), [...Array(5000).keys(), null]);
  assert.deepEqual(values('late').slice(-2), [null, true]);
  assert.deepEqual(types, { i: 'number', late: 'boolean' });
  const csv = await read('many.csv', `name,i\n${'a,1\n'.repeat(20_000)}`);
  assert.ok(csv.sizes.every((size) => size <= 2048) && csv.rows.length === 20_000);
  assert.equal(csv.rows.at(-1)?.at, 20_001);
});

test('the key is the first usual one, or the one that is asked for', async () => {
  assert.equal((await read('k.csv', 'id,filename,path\n1,b,c\n')).file.key, 'path');
  assert.equal((await read('k.csv', 'id,filename\n1,b\n', 'id')).rows[0]?.key, '1');
  assert.equal((await read('k.csv', 'path,size\na,1\n', undefined, ['path'])).file.key, 'path');
  await refuses('k.csv', 'photo,x\n', /found the columns "photo", "x"; .*`key`/);
  await refuses('k.csv', 'path,x\n', /expected a column "photo", found/, 'photo');
  await refuses('k.csv', 'id,path\n', /found "path"; rename this column/, 'id');
  await refuses('k.csv', 'id,size\n', /found "size"; rename/);
});

test('columns that cannot be are refused', async () => {
  await refuses('c.csv', ',path\n0,a\n', /none for column 1; .*index=False/);
  await refuses('c.csv', 'path, , a\n', /none for column 2/);
  await refuses('c.csv', 'path,a,a\n', /"a" twice, as columns 2 and 3/);
  await refuses('c.csv', 'path,a, a \n', /"a" twice, as columns 2 and 3/);
  await refuses('c.csv', 'path,\u00e9,e\u0301\n', /twice, as columns 2 and 3/);
  for (const name of ['__proto__', 'a.b', '0', '_rowid', 'a`b']) {
    await refuses('c.csv', `path,${name}\nx,1\n`, /names of columns that begin with a letter/);
  }
  const wide = Array.from({ length: 101 }, (_, index) => `c${index}`);
  await refuses('c.csv', `${wide}\n`, /at most 100 columns, found 101/);
  await refuses('c.jsonl', wide.map((name) => `{"${name}": 1}\n`).join(''), /at most 100 columns/);
  await refuses('c.txt', 'a', /ends in \.csv, \.tsv, \.jsonl, \.ndjson, \.parquet/);
  await refuses('c.csv', '', /found the columns none/);
});

test('broken lines are named', async () => {
  await refuses(
    'b.csv',
    'path,a\nx,1\ny,2,3\n',
    /b\.csv: line 3: expected at most 2 fields, as in the header, found 3/,
  );
  await refuses('b.csv', 'path,a\nx,1\ny,,,3\n', /line 3: .*found 4/);
  await refuses('b.csv', 'path,a\n"x\n\n",1\ny,"1"2\n', /line 5: .*after the quote/);
  await refuses('b.csv', 'path,a\nx,"1\n', /line 2: .*a quote without an end/);
  await refuses(
    'b.csv',
    `path,a\nx,"${'a lost quote takes in all that follows\n'.repeat(40_000)}`,
    /line 2: .*was a quote lost/,
  );
  await refuses('b.csv', Buffer.from('path,a\nx,\xe9\n', 'latin1'), /line 2: .*not UTF-8/);
  await refuses('b.csv', 'path,a\nx,1\n./,1\n', /line 3: expected an image's name in the column "path"/);
  await refuses('b.jsonl', '{"path": "a"}\n{"a": 1}\n', /line 2: expected an image's name/);
  await refuses('b.jsonl', '{"path": "a"}\n[1]\n', /line 2: expected a JSON object, found/);
  await refuses('b.jsonl', '{"path": "a"}\n{"a\n', /line 2: expected JSON/);
  await assert.rejects(openMetadata(join(folder, 'none.csv'), { reserved: new Set() }), {
    code: 'not-found',
  });
});

test('a file that changes between its two readings is refused', async () => {
  const path = join(folder, 'changing.csv');
  await writeFile(path, 'path,n\na,1\n');
  const { rows } = await openMetadata(path, { reserved: new Set() });
  await writeFile(path, 'path,n\na,one\n');
  await assert.rejects(Array.fromAsync(rows()), /line 2: expected a number, found "one" as "n"; .*changed/);
});

test('Parquet: every compression, row by row', async () => {
  const expected: (string | null)[] = JSON.parse(await readFile(join(fixtures, 'rows.json'), 'utf8'));
  for (const name of [
    'plain',
    'snappy',
    'gzip',
    'zstd',
    'brotli',
    'lz4',
    'dictionary',
    'pages-v2',
    'delta',
  ]) {
    const { rows, types, values } = await read(
      `${name}.parquet`,
      await readFile(join(fixtures, `${name}.parquet`)),
    );
    assert.deepEqual(types, { text: 'string', source: 'string' });
    assert.deepEqual(values('text'), expected, name);
    assert.deepEqual(
      rows.map(({ key, at }) => [key, at]),
      expected.map((_, index) => [`${index}`, index + 1]),
    );
  }
  const byText = await read('k.parquet', await readFile(join(fixtures, 'no-strings.parquet')), 'text');
  assert.deepEqual(byText.values('lists'), ['["a cat"]', '["a dog"]']);
  const bySource = await openMetadata(join(fixtures, 'empty.parquet'), { key: 'text', reserved: new Set() });
  assert.deepEqual([bySource.columns.size, bySource.empty], [0, ['id', 'source']]);
  const ids = await openMetadata(join(fixtures, 'zstd.parquet'), { key: 'source', reserved: new Set() });
  assert.equal(ids.columns.get('id'), 'number');
});

test('Parquet: what is broken or no text is refused', async () => {
  const reading = (content: Uint8Array) => read('x.parquet', content, 'text');
  await assert.rejects(reading(await readFile(join(fixtures, 'invalid-utf8.parquet'))), {
    code: 'bad-file',
    message: /row 3, column "text": expected text in UTF-8/,
  });
  await assert.rejects(reading(Buffer.alloc(5)), /does not end in PAR1/);
  const whole = await readFile(join(fixtures, 'snappy.parquet'));
  for (let cut = 1; cut < whole.length; cut += 37) {
    await assert.rejects(reading(whole.subarray(0, -cut)), { code: 'bad-file' }, `without the last ${cut}`);
  }
});

test('Parquet: a file with a wrong bit is read or refused, at once and in little memory', async () => {
  const memory = process.memoryUsage().rss;
  for (const name of ['snappy', 'pages-v2']) {
    const bytes = await readFile(join(fixtures, `${name}.parquet`));
    // Among these bits is one that makes a run of levels nearly endless.
    for (let at = 0; at < bytes.length; at += 41) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      await read('flipped.parquet', flipped).catch((error: unknown) => {
        assert.ok(error instanceof LincirError, `${name}: bit ${at % 8} of byte ${at}: ${error}`);
      });
    }
  }
  assert.ok(process.memoryUsage().rss - memory < 2 ** 29);
});
