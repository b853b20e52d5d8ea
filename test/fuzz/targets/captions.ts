/** Files of captions, packed or not, and a run's copy of them. */

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { CaptionCopy, findCaptionSources } from '../../../src/captions/index.ts';
import { openTexts } from '../../../src/cli/embed/texts.ts';
import { parseJsonLine } from '../../../src/core/json-line.ts';
import { readLines } from '../../../src/files/index.ts';
import { bytesOf, drain, filled, jsonTokens, ofFile, type Target, textTokens } from '../target.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/captions');

const text = 'a red dog\n\na cat, "black"\r\nthe end';
const lines = '{"text": "a red dog", "url": "http://a"}\n"a cat"\n\n{"text": null, "n": [1, {"a": NaN}]}\n';
const csv = 'url,text\nhttp://a,a red dog\nhttp://b,"a ""black"" cat,\nlarge"\n';
const parquetTokens = [
  'PAR1',
  '\x15\x00',
  '\x19',
  '\x1c',
  '\x18\x04',
  '\xff\xff\xff\xff\x0f',
  '\x15\x80',
  'text',
];

export async function captionTargets(folder: string) {
  const captions = (name: string, columns = ['text', 'TEXT', 'caption']) =>
    ofFile(folder, name, async (path) => {
      for (const source of await findCaptionSources([path], { columns })) {
        await drain(source.captions({ onLeftOut: () => {} }));
      }
    });
  const parquets = (await readdir(fixtures)).filter((name) => name.endsWith('.parquet'));
  const store = join(folder, 'store');
  const source = join(await filled(folder, { 'source.txt': text }), 'source.txt');
  const rebuilt = async (at: string) => {
    const opened = await CaptionCopy.open(store);
    const places = opened.sources.flatMap(({ captions: count }, number) =>
      Array.from({ length: Math.min(count, 5) }, (_, index) => ({ source: number, index })),
    );
    try {
      await opened.read(places);
    } finally {
      await opened.close();
    }
    return at;
  };
  const whole = await filledStore(store, source);
  /** One file of a store, the others as they were written. */
  const stored = (name: string, covers: readonly string[], tokens: readonly string[]): Target => ({
    ...{ covers, tokens, seeds: [whole[name]!] },
    read: async (bytes) => {
      await filled(store, { ...whole, [name]: bytes });
      await rebuilt(name);
    },
  });
  return {
    'captions-text': {
      covers: ['captions/formats.ts', 'files/lines.ts'],
      seeds: [bytesOf(text)],
      tokens: textTokens,
      read: captions('a.txt'),
    },
    'captions-jsonl': {
      covers: ['captions/formats.ts', 'core/json-line.ts'],
      seeds: [bytesOf(lines)],
      tokens: [...jsonTokens, '"text"', '\r'],
      read: captions('a.jsonl'),
    },
    'captions-csv': {
      covers: ['captions/delimited.ts', 'tables/delimited.ts'],
      seeds: [bytesOf(csv)],
      tokens: textTokens,
      read: captions('a.csv'),
    },
    'captions-tsv': {
      covers: ['captions/delimited.ts'],
      seeds: [bytesOf(csv.replaceAll(',', '\t'))],
      tokens: textTokens,
      read: captions('a.tsv', ['text', '2']),
    },
    'captions-parquet': {
      covers: [
        'captions/parquet.ts',
        'tables/parquet/pages.ts',
        'tables/parquet/checks.ts',
        'tables/parquet/file.ts',
        'tables/parquet/page-checks.ts',
      ],
      seeds: await Promise.all(parquets.map((name) => readFile(join(fixtures, name)))),
      tokens: parquetTokens,
      read: captions('a.parquet'),
    },
    'captions-gzip': {
      covers: ['tables/unpack.ts'],
      seeds: [gzipSync(text), Buffer.concat([gzipSync(text), gzipSync(text), Buffer.alloc(20)])],
      tokens: ['\x1f\x8b\x08', '\0\0\0\0', '\xff\xff', '\x03\0'],
      read: captions('a.txt.gz'),
    },
    'captions-zstd': {
      covers: ['tables/unpack.ts'],
      seeds: [
        zstdCompressSync(text),
        Buffer.concat([
          zstdCompressSync(lines),
          bytesOf('\x50\x2a\x4d\x18\x02\0\0\0ab'),
          zstdCompressSync(text),
        ]),
      ],
      tokens: ['\x28\xb5\x2f\xfd', '\x50\x2a\x4d\x18', '\xff\xff\xff\xff', '\x01\0\0'],
      read: captions('a.txt.zst'),
    },
    'caption-store-list': stored(
      'captions.json',
      ['captions/copy.ts', 'captions/batch-worker.ts'],
      jsonTokens,
    ),
    'caption-store-text': stored('0000.text', ['captions/copy.ts'], textTokens),
    'caption-store-ends': stored('0000.ends', ['captions/copy.ts'], ['\0\0\0\0', '\xff\xff\xff\xff']),
    'caption-store-note': {
      covers: ['captions/source-copy.ts'],
      seeds: [whole['0000.json']!],
      tokens: jsonTokens,
      read: async (bytes) => {
        await filled(store, { ...whole, '0000.json': bytes });
        await (await CaptionCopy.build(store, await findCaptionSources([source]))).close();
      },
    },
    lines: {
      covers: ['files/lines.ts'],
      seeds: [bytesOf(lines)],
      tokens: [...textTokens, ...jsonTokens],
      read: async (bytes) => {
        const half = bytes.length >> 1;
        const chunks = (async function* () {
          yield bytes.subarray(0, half);
          yield bytes.subarray(half);
        })();
        for await (const line of readLines(chunks, 'lines')) if (line !== '') parseJsonLine(line, 'line');
      },
    },
    texts: {
      covers: ['cli/embed/texts.ts'],
      seeds: [bytesOf(text)],
      tokens: textTokens,
      read: ofFile(folder, 'texts.txt', async (path) => {
        await drain((await openTexts(path, new AbortController().signal)).lines);
      }),
    },
  } satisfies Record<string, Target>;
}

async function filledStore(store: string, source: string): Promise<Readonly<Record<string, Uint8Array>>> {
  await (await CaptionCopy.build(store, await findCaptionSources([source]))).close();
  const files = await readdir(store);
  return Object.fromEntries(
    await Promise.all(
      files.map(async (name) => [basename(name), await readFile(join(store, name))] as const),
    ),
  );
}
