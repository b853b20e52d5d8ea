/** Captions out of text, JSON lines, CSV and TSV, packed and not, and what is refused or left out. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { LincirError } from '../core/index.ts';
import { findCaptionSources } from './sources.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-formats-'));
});
after(() => rm(folder, { recursive: true }));

/** The captions of one file with this content, what is left out, and how many batches came. */
async function read(name: string, content: string | Uint8Array, columns?: readonly string[]) {
  const path = join(folder, name);
  await writeFile(path, content);
  const [source] = await findCaptionSources([path], { columns });
  const captions: string[] = [];
  const leftOut: string[] = [];
  const seen = { captions, leftOut, batches: 0, error: undefined as unknown };
  try {
    const onLeftOut = (where: string, reason: string) =>
      leftOut.push(`${where.replace(path, name)}: ${reason}`);
    for await (const batch of source!.captions({ onLeftOut })) {
      captions.push(...batch);
      seen.batches += 1;
    }
  } catch (error) {
    seen.error = error;
  }
  return seen;
}

async function captionsOf(name: string, content: string | Uint8Array, columns?: readonly string[]) {
  const { captions, leftOut, error } = await read(name, content, columns);
  if (error !== undefined) throw error;
  assert.deepEqual(leftOut, []);
  return captions;
}

/** Asserts that the file is refused as broken, with a message that matches. */
async function refuses(
  name: string,
  content: string | Uint8Array,
  message: RegExp,
  columns?: readonly string[],
) {
  await assert.rejects(
    async () => {
      const { error } = await read(name, content, columns);
      throw error;
    },
    (error) => {
      assert.ok(error instanceof LincirError, String(error));
      assert.equal(error.code, 'bad-file');
      assert.ok(error.message.startsWith(join(folder, name)), error.message);
      assert.match(error.message, message);
      return true;
    },
  );
}

const captions = ['a red sofa', 'a "quoted" word, and\ta tab', ' zwölf Boxkämpfer 🥊 ', '一只猫', "it's $1"];
const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
const contents: Readonly<Record<string, string>> = {
  txt: captions.join('\n'),
  jsonl: captions.map((text) => `${JSON.stringify({ id: 1, text })}\n`).join(''),
  ndjson: captions.map((text) => JSON.stringify(text)).join('\r\n'),
  csv: `id,text\n${captions.map((text) => `1,${quote(text)}`).join('\n')}`,
  tsv: `\uFEFF"text"\t"id"\r\n${captions.map((text) => `${quote(text)}\t1\r\n`).join('')}`,
};

test('the same captions come out of every format, packed or not', async () => {
  for (const [extension, content] of Object.entries(contents)) {
    assert.deepEqual(await captionsOf(`plain.${extension}`, content), captions, extension);
    assert.deepEqual(await captionsOf(`packed.${extension}.gz`, gzipSync(content)), captions, extension);
    assert.deepEqual(
      await captionsOf(`packed.${extension.toUpperCase()}.ZST`, zstdCompressSync(content)),
      captions,
    );
  }
});

test('packed files may have several parts', async () => {
  for (const [name, pack] of [
    ['parts.txt.gz', gzipSync],
    ['parts.txt.zst', zstdCompressSync],
  ] as const) {
    const parts = Buffer.concat(['a cat\na d', 'og\n', 'a boat'].map((part) => pack(part)));
    assert.deepEqual(await captionsOf(name, parts), ['a cat', 'a dog', 'a boat']);
  }
});

test('parts may be many, with padding and frames to skip between them, and nothing else', async () => {
  const many = Array.from({ length: 3000 }, (_, index) => `caption ${index}`);
  for (const [name, pack] of [
    ['many.txt.gz', gzipSync],
    ['many.txt.zst', zstdCompressSync],
  ] as const) {
    assert.deepEqual(await captionsOf(name, Buffer.concat(many.map((text) => pack(`${text}\n`)))), many);
  }
  const [cat, dog] = [gzipSync('a cat\n'), gzipSync('a dog\n')];
  const zeros = Buffer.alloc(600_000);
  assert.deepEqual(await captionsOf('a.txt.gz', Buffer.concat([cat, zeros, dog, dog, zeros])), [
    ...['a cat', 'a dog', 'a dog'],
  ]);
  await refuses('a.txt.gz', Buffer.concat([cat, zeros, Buffer.from('a boat\n')]), /incorrect header check/);
  await refuses('a.txt.gz', Buffer.concat([cat, Buffer.from('a boat\n')]), /incorrect header check/);
  await refuses('a.txt.gz', Buffer.concat([cat, zeros, dog.subarray(0, 5)]), /unexpected end of file/);

  const skipped = (length: number) => {
    const header = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    header.writeUInt32LE(length, 4);
    return Buffer.concat([header, Buffer.alloc(length, 'no caption\n')]);
  };
  const [boat, ship] = [zstdCompressSync('a boat\n'), zstdCompressSync('a ship\n')];
  // As `zstd` writes it: a checksum, and no size of what is in it.
  const checksum = { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_contentSizeFlag]: 0 };
  const car = zstdCompressSync('a car\n'.repeat(100_000), { params: checksum });
  for (const [first, second] of [
    [skipped(0), skipped(600_000)],
    [skipped(5), Buffer.concat([skipped(1), skipped(2)])],
  ] as const) {
    const found = await captionsOf('a.txt.zst', Buffer.concat([first, boat, second, car, ship, first]));
    assert.deepEqual([found[0], found.length, found.at(-1)], ['a boat', 100_002, 'a ship']);
  }
  await refuses(
    'a.txt.zst',
    Buffer.concat([boat, zeros]),
    /whole Zstandard data, found a part that is something/,
  );
  for (const end of [
    boat.subarray(0, 3),
    boat.subarray(0, 9),
    boat.subarray(0, -1),
    skipped(9).subarray(0, -1),
  ]) {
    await refuses('a.txt.zst', Buffer.concat([boat, end]), /unexpected end of file/);
  }
  await refuses('a.txt.zst', Buffer.concat([car.subarray(0, -1), Buffer.from([0])]), /checksum/i);
});

test('line ends of old Macs are line ends', async () => {
  for (const [extension, content] of Object.entries(contents)) {
    const old = content.replaceAll(/\r?\n/g, '\r');
    assert.deepEqual(await captionsOf(`mac.${extension}`, old), captions, extension);
  }
  const { captions: spanning, leftOut } = await read('mac.csv', 'id,text\r1,"two\rlines"\r2,\r');
  assert.deepEqual([spanning, leftOut], [['two\rlines'], ['mac.csv: line 4: it is empty']]);
});

test('a column by its number is one of a file without a header', async () => {
  const pairs = 'a cat\thttp://x/1\na "dog"\thttp://x/2\n';
  assert.deepEqual(await captionsOf('cc.tsv', pairs, ['1']), ['a cat', 'a "dog"']);
  assert.deepEqual(await captionsOf('cc.csv', '\n7,a cat\r8,a dog', ['caption', '2']), ['a cat', 'a dog']);
  // A header that has the number as a name counts before.
  assert.deepEqual(await captionsOf('cc.csv', '0,1\n7,a cat\n', ['1']), ['a cat']);
  await refuses(
    'cc.tsv',
    pairs,
    /line 1: .*found the columns "a cat", .*no header, the number of its column/,
  );
  await refuses('cc.tsv', pairs, /line 1: expected the column "3"/, ['3']);
  assert.deepEqual(await captionsOf('cc.tsv', `${pairs}a boat\n`, ['1']), ['a cat', 'a "dog"', 'a boat']);
  await refuses(
    'cc.tsv',
    `${pairs}a boat\thttp\tx\n`,
    /line 3: expected at most 2 fields, as in the first row, found 3/,
    ['1'],
  );
  await refuses('cc.csv', 'text,text\na,b\n', /line 1: expected the column "text" once, found it twice/);
});

test('quoted fields span lines, and every record counts from its first', async () => {
  const text = 'id,text\n1,"two\r\nlines\n, ""quoted"""\n2,\n\n4,"a\ncat"\n5,"  "';
  const { captions, leftOut } = await read('lines.csv', text);
  assert.deepEqual(captions, ['two\r\nlines\n, "quoted"', 'a\ncat']);
  assert.deepEqual(leftOut, [
    'lines.csv: line 5: it is empty',
    'lines.csv: line 6: it is empty',
    'lines.csv: line 9: it is only white space',
  ]);
});

test('in TSV a quote that does not enclose a field is a character', async () => {
  const text = 'text\tid\na 12" ruler\t1\n"Hello", she said\t2\n"a\ttab"\t3\n';
  assert.deepEqual(await captionsOf('quotes.tsv', text), ['a 12" ruler', '"Hello", she said', 'a\ttab']);
});

test('the first wanted column that there is counts', async () => {
  const columns = ['caption', 'text'];
  assert.deepEqual(await captionsOf('both.csv', 'text,caption\nno,yes\n', columns), ['yes']);
  assert.deepEqual(
    await captionsOf('both.jsonl', '{"text": "no", "caption": "yes"}\n{"text": "also"}\n', columns),
    ['yes', 'also'],
  );
});

test('rows without a usable caption are left out, each with its reason', async () => {
  const long = 'a'.repeat(65_536);
  const values = [null, '', ' \t', long, `${long}a`, '\ud83d half', 'a cat'];
  const lines = [...values.map((text) => JSON.stringify({ text })), '', '"  "'];
  const { captions, leftOut } = await read('left-out.jsonl', lines.join('\n'));
  assert.deepEqual(captions, [long, 'a cat']);
  assert.deepEqual(leftOut, [
    'left-out.jsonl: line 1: it is null',
    'left-out.jsonl: line 2: it is empty',
    'left-out.jsonl: line 3: it is only white space',
    'left-out.jsonl: line 5: it has 65537 characters, over 65536',
    'left-out.jsonl: line 6: it has half a surrogate pair, which is not a character',
    'left-out.jsonl: line 8: it is empty',
    'left-out.jsonl: line 9: it is only white space',
  ]);
  assert.deepEqual((await read('left-out.txt', '\n  \n')).leftOut.length, 2);
  // As Python writes what is missing.
  const missing = await read('nan.jsonl', '{"text": NaN}\n{"text": "NaN", "score": -Infinity}\n');
  assert.deepEqual([missing.captions, missing.leftOut], [['NaN'], ['nan.jsonl: line 1: it is null']]);
});

test('batches come long before a file ends', async () => {
  const many = `${'a caption of some length'.repeat(4)}\n`.repeat(20_000);
  const rows = `text,id\n${many.replaceAll('\n', ',1\n')}`;
  const json = many.replaceAll(/^.*$/gm, (line) => JSON.stringify(line));
  const broken = Buffer.from([0xff, 0x0a]);
  for (const [name, content] of [
    ['long.txt', Buffer.concat([Buffer.from(many), broken])],
    ['long.jsonl', Buffer.concat([Buffer.from(json), broken])],
    ['long.csv', Buffer.concat([Buffer.from(rows), Buffer.from('a,b,c\n')])],
    ['long.txt.gz', gzipSync(many, { level: 1 }).subarray(0, -8)],
    ['long.txt.zst', Buffer.concat([zstdCompressSync(many), Buffer.from('no frame')])],
  ] as const) {
    const { batches, error } = await read(name, content);
    assert.ok(error instanceof LincirError, name);
    assert.ok(batches > 3, `${name}: ${batches}`);
  }
});

test('an unknown column lists those that there are', async () => {
  await refuses('columns.csv', 'id,caption\n1,a\n', /line 1: .*column "text", found .*"id", "caption"/);
  await refuses('columns.tsv', 'id\tcaption\n1\ta\n', /"title" or "text", found .*"id", "caption"/, [
    'title',
    'text',
  ]);
  await refuses('semicolons.csv', 'id;text\n1;a\n', /found the columns "id;text"/);
  await refuses(
    'columns.jsonl',
    '{"text": "a"}\n{"caption": "b", "id": 1}',
    /line 2: .*"text", found .*"caption", "id"; choose one/,
  );
  await refuses('columns.ndjson', '{}', /found the columns none/);
});

test('what is no JSON of captions is named with its line', async () => {
  await refuses('broken.jsonl', '"a"\n{"text": "b"', /line 2: expected JSON, found/);
  await refuses('number.jsonl', '{"text": 3}', /line 1: expected a string or null as "text", found "?3/);
  await refuses('list.jsonl', '["a"]', /line 1: expected a JSON object or string/);
  await refuses('null.jsonl', '"a"\nnull', /line 2: expected a JSON object or string/);
});

test('records that do not fit the header are named with their line', async () => {
  const begin = 'id,text\n1,"two\nlines"\n';
  await refuses(
    'many.csv',
    `${begin}2,a,b\n`,
    /line 4: expected at most 2 fields, as in the header, found 3/,
  );
  await refuses(
    'more.csv',
    `${begin}2,a,,b\n`,
    /line 4: expected at most 2 fields, as in the header, found 4/,
  );
  const { captions, leftOut } = await read('few.csv', `${begin}2\n3,a cat,,\n`);
  assert.deepEqual([captions, leftOut], [['two\nlines', 'a cat'], ['few.csv: line 4: it is null']]);
});

test('quotes out of place are named with their line', async () => {
  const begin = 'id,text\n1,"two\r\nlines"\n';
  await refuses('opening.csv', `${begin}2,a 12" ruler\n`, /line 4: .*found a quote inside a field/);
  await refuses('closing.csv', `${begin}2,"Hello", she said\n3,"a"b\n`, /line 4: expected at most 2 fields/);
  await refuses('after.csv', `${begin}2,"Hello" she said\n`, /line 4: .*found text after the quote/);
  await refuses('endless.csv', `${begin}2,"a\n3,b\n`, /line 4: .*a quote without an end/);
  await refuses('lost.csv', `${begin}2,"a\n${'3,b\n'.repeat(300_000)}`, /line 4: .*more than 1048576 bytes/);
});

test('bytes that are not UTF-8 are named with their line', async () => {
  const latin = (text: string) => Buffer.from(text, 'latin1');
  await refuses('latin.txt', latin('a\nun café\n'), /line 2: .*not UTF-8/);
  await refuses('latin.jsonl', latin('"a"\n{"text": "un café"}'), /line 2: .*not UTF-8/);
  await refuses('latin.csv', latin('text,id\n"two\nlines",1\nun café,2\n'), /line 4: expected text in UTF-8/);
  await refuses('latin.tsv', latin('texte\tidé\n'), /line 1: expected text in UTF-8/);
});

test('a line over 1 MiB is refused', async () => {
  await refuses('line.txt', `a\n${'b'.repeat(2 ** 20 + 1)}`, /line 2: .*1048576 bytes/);
  await refuses('field.csv', `text\na\n${'b'.repeat(2 ** 20 + 2)}\n`, /line 3: .*1048576 bytes/);
});

test('files without a row are refused', async () => {
  await refuses('empty.txt', '', /expected at least one caption, found an empty file/);
  await refuses('header.csv', 'id,text\n', /found an empty file/);
  await refuses('nothing.csv', '\uFEFF', /found an empty file/);
  await refuses('empty.jsonl.gz', gzipSync(''), /found an empty file/);
});

test('packed data that is cut short or something else is refused', async () => {
  const text = Array.from({ length: 1000 }, (_, index) => `caption ${index * index}`).join('\n');
  const gzip = gzipSync(text);
  const zstd = zstdCompressSync(text);
  for (const cut of [1, 10, 1000]) {
    await refuses('cut.txt.gz', gzip.subarray(0, -cut), /whole gzip data, found unexpected end of file; get/);
    await refuses(
      'cut.txt.zst',
      zstd.subarray(0, -cut),
      /whole Zstandard data, found unexpected end of file/,
    );
  }
  await refuses('plain.txt.gz', text, /whole gzip data/);
  await refuses('plain.txt.zst', text, /whole Zstandard data/);
  await refuses('gzip.csv.zst', gzip, /whole Zstandard data/);
});
