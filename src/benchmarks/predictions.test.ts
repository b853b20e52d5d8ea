/** Rankings in lines of our own format, written, read and refused. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Benchmark, BenchmarkQuery, Ranking } from './benchmark.ts';
import { rankingLine, readRankings } from './predictions.ts';

const folder = await mkdtemp(join(tmpdir(), 'lincir-predictions-'));
after(() => rm(folder, { recursive: true }));

const path = join(folder, 'rankings.jsonl');
const common = { reference: 'a', texts: ['red'], groups: [] };
const queries: readonly BenchmarkQuery[] = [
  { ...common, id: 'one', gallery: 'letters', exclude: ['a', 'x'], candidates: ['b', 'x'] },
  { ...common, id: 'two', gallery: 'letters' },
  { ...common, id: '__proto__', candidates: ['x', 'y'] },
];
const benchmark: Benchmark = {
  name: 'tiny',
  preset: 'tiny val',
  folder,
  images: [...'abcxy'].map((id) => ({ id, path: join(folder, id) })),
  galleries: new Map([['letters', ['a', 'b', 'c']]]),
  queries,
  prompt: { composed: 'a photo of $ that {text}', text: '{text}' },
  topK: 2,
  metrics: ['R@1'],
  primaryMetric: 'R@1',
  mean: 'queries',
  score: () => ({ 'R@1': 0 }),
};

const rankings: readonly (readonly [string, Ranking])[] = [
  ['one', { gallery: ['c', 'b'], candidates: ['x', 'b'] }],
  ['two', { gallery: ['a', 'c'] }],
  ['__proto__', { candidates: ['y'] }],
];
const lines = rankings.map(([id, ranking]) => rankingLine(id, ranking));

const read = async (text: readonly string[]) => {
  await writeFile(path, text.map((line) => `${line}\n`).join(''));
  return await readRankings(path, benchmark);
};

describe('lines of rankings', () => {
  test('are JSON of one line each', () => {
    assert.equal(lines[0], '{"query":"one","gallery":["c","b"],"candidates":["x","b"]}');
    assert.deepEqual(JSON.parse(rankingLine('q\n"', { candidates: [] })), { query: 'q\n"', candidates: [] });
    assert.ok(!rankingLine('q\n', { gallery: ['\u2028\n'] }).includes('\n'));
  });

  test('read as what was written, in the benchmark’s order', async () => {
    assert.deepEqual([...(await read(lines.toReversed()))], rankings);
    const empty = [
      { query: 'one', gallery: [], candidates: [] },
      ...lines.slice(1).map((line) => JSON.parse(line)),
    ];
    const short = await read(empty.map((line) => JSON.stringify(line)));
    assert.deepEqual(short.get('one'), { gallery: [], candidates: [] });
  });

  test('are refused with their number and query', async () => {
    for (const [line, message] of [
      ['', /rankings\.jsonl: line 2: expected JSON/],
      ['{"query":"two","query":"one","gallery":[]}', /line 2: expected every key once/],
      ['{"query":2,"gallery":["a"]}', /line 2: expected {"query": id, .*, found .*2/],
      ['{"query":"two","gallery":[1]}', /line 2: expected {"query": id, /],
      ['{"query":"two","gallery":["a"],"scores":[1]}', /line 2: expected {"query": id, /],
      ['["two"]', /line 2: expected {"query": id, /],
      [
        rankingLine('three', { gallery: ['a'] }),
        /line 2: query "three": expected a query of tiny val, found none/,
      ],
      [lines[0]!, /line 2: query "one": expected every query once, found it twice/],
      [rankingLine('two', {}), /line 2: query "two": expected a list "gallery", found none/],
      [
        rankingLine('two', { candidates: ['x'] }),
        /line 2: query "two": expected a list "gallery", found none/,
      ],
      [
        rankingLine('two', { gallery: [], candidates: [] }),
        /line 2: query "two": expected no list "candidates"/,
      ],
      [
        rankingLine('two', { gallery: ['a', 'b', 'a'] }),
        /line 2: query "two": expected every id once, found "a"/,
      ],
      [
        rankingLine('two', { gallery: ['x'] }),
        /line 2: query "two": expected images of gallery letters, found "x"/,
      ],
    ] as const) {
      await assert.rejects(read(lines.with(1, line)), { code: 'bad-file', message });
    }
    for (const [ranking, message] of [
      [{ gallery: ['b'] }, /line 1: query "one": expected a list "candidates", found none/],
      [{ gallery: ['a'], candidates: ['b'] }, /line 1: query "one": .*it leaves out, found "a"/],
      [
        { gallery: ['b'], candidates: ['c'] },
        /line 1: query "one": expected images of its candidates, found "c"/,
      ],
      [
        { gallery: ['b'], candidates: ['b', 'b'] },
        /line 1: query "one": expected every id once, found "b" twice/,
      ],
    ] as const) {
      await assert.rejects(read(lines.with(0, rankingLine('one', ranking))), { code: 'bad-file', message });
    }
  });

  test('are wanted for every query, from a file that is there', async () => {
    await assert.rejects(read(lines.toSpliced(1, 1)), {
      code: 'bad-file',
      message: /rankings\.jsonl: query "two": expected a line, found none/,
    });
    await assert.rejects(readRankings(join(folder, 'missing'), benchmark), { code: 'not-found' });
  });
});
