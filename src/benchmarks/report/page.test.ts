/** The report of an evaluation: whole, self-contained, safe whatever the data says, and right about the ranks. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import type { Benchmark, BenchmarkImage, BenchmarkQuery, Ranking } from '../benchmark.ts';
import type { MethodResults, Results } from '../results.ts';
import { type EvaluationReport, evaluationReport } from './page.ts';

const folder = await mkdtemp(join(tmpdir(), 'lincir-report-'));
after(() => rm(folder, { recursive: true }));

const hostile = `</title></style><script>alert("1")</script>'<img onerror=y>&amp;\u202e`;
const colours = ['#c00', '#0a0', '#00c', '#cc0', '#0cc', '#c0c'];
const images: BenchmarkImage[] = await Promise.all(
  colours.map(async (background, at) => {
    const path = join(folder, `${at}.png`);
    await sharp({ create: { width: 400, height: 300, channels: 3, background } })
      .png()
      .toFile(path);
    return { id: `i${at}`, path };
  }),
);
const ids = images.map(({ id }) => id);

function query(id: string, more: Partial<BenchmarkQuery> = {}): BenchmarkQuery {
  const targets = ['i2'];
  return { id, reference: 'i0', texts: [`text of ${id}`], gallery: 'all', targets, groups: [], ...more };
}

function method(name: string, values: readonly number[], more: Partial<MethodResults> = {}): MethodResults {
  return {
    ...{ name, settings: {}, prompt: { composed: 'a photo of $ that {text}', text: '{text}' } },
    figures: { 'R@1': { value: 0.51236, low: 0.4, high: 0.6 }, 'R@5': { value: 0.9, low: 0.8, high: 1 } },
    ...{ groups: {}, perQuery: { 'R@1': values, 'R@5': values } },
    ...more,
  };
}

interface Given extends Omit<Partial<EvaluationReport>, 'results' | 'benchmark'> {
  readonly queries?: readonly BenchmarkQuery[];
  readonly images?: readonly BenchmarkImage[];
  readonly results?: Partial<Results>;
}

async function reportOf(given: Given = {}): Promise<string> {
  const { queries = [query('q1')], results = {}, ...others } = given;
  const {
    methods = [
      method(
        'lincir',
        queries.map(() => 1),
      ),
    ],
  } = results;
  const ranking: Ranking = { gallery: ids.slice(1) };
  const ranked = new Map(queries.map(({ id }) => [id, ranking]));
  const [metrics, primaryMetric, mean] = [['R@1', 'R@5'], 'R@1', 'queries'] as const;
  const benchmark: Benchmark = {
    ...{
      name: 'cirr',
      preset: 'cirr val',
      folder,
      images: given.images ?? images,
      queries,
      metrics,
      primaryMetric,
      mean,
    },
    ...{ galleries: new Map([['all', ids]]), prompt: methods[0]!.prompt, topK: 5, score: () => ({}) },
  };
  const page = await evaluationReport({
    benchmark,
    rankings: new Map(methods.map(({ name }) => [name, ranked])),
    ...others,
    results: {
      ...{
        version: 1,
        benchmark: 'cirr',
        preset: 'cirr val',
        options: { split: 'val' },
        folder,
        sha256: '0'.repeat(64),
        limit: null,
      },
      ...{
        images: images.length,
        queries: queries.map(({ id }) => id),
        metrics,
        primaryMetric,
        mean,
        methods,
      },
      ...{
        model: { name: 'openai/clip', fingerprint: 'f00d', targetPad: null, precision: 'float32' },
        seconds: { ranking: 3 },
      },
      ...{ versions: { lincir: '1.2.3' }, date: '2026-03-04T05:06:07.890Z', ...results },
    },
  });
  expectWhole(page);
  return page;
}

/** Every element is closed in its turn, nothing comes from elsewhere, and one known script may run. */
function expectWhole(page: string): void {
  const open: string[] = [];
  const [before, script, end] = page.split(/<script>|<\/script>/);
  const bare = `${before!.replace(/<style>.*?<\/style>/s, '')}${end ?? ''}`;
  for (const [, closes, name] of bare.matchAll(/<(\/?)([a-z][a-z0-9]*)(?:"[^"]*"|[^">])*>/g)) {
    if (closes) assert.equal(open.pop(), name);
    else if (!['meta', 'input'].includes(name!)) open.push(name!);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(bare, /undefined|NaN|\[object|<link|<img| src=| on[a-z]+="|href="(?!#)/);
  assert.doesNotMatch(page, /@import|url\((?!"data:image\/jpeg;base64,)/);
  const [, policy] = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(page)!;
  assert.match(
    policy!,
    /^default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'/,
  );
  const allowed = script && `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
  assert.deepEqual(/script-src (.*)$/.exec(policy!)?.[1], allowed);
}

/** The cards, in order. */
function cards(page: string): string[] {
  return page.split('<article').slice(1);
}

function plain(markup: string): string {
  return markup
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

test('an image stands in the file once, however often it is seen', async () => {
  const done: string[] = [];
  const page = await reportOf({
    queries: [query('q1'), query('q2')],
    onProgress: (count, total) => done.push(`${count}/${total}`),
  });
  const rules = [
    ...page.matchAll(/\.p(\d+) \{ background-image: url\("data:image\/jpeg;base64,([^"]*)"\); \}/g),
  ];
  assert.equal(rules.length, ids.length);
  assert.deepEqual(done, ['1/6', '2/6', '3/6', '4/6', '5/6', '6/6']);
  assert.match(page, /--ratio: 1\.333;/);
  assert.match(page, /<dialog id="large"[^§]*data-step="-1"[^§]*data-step="1"[^§]*data-close/);
  for (const [, number, data] of rules) {
    const [, id] = new RegExp(`class="t p${number}" role="img" title="(i\\d)`).exec(page)!;
    const { data: pixels, info } = await sharp(Buffer.from(data!, 'base64'))
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [384, 288]);
    const expected = [...colours[Number(id!.slice(1))]!.slice(1)].map(
      (digit) => Number.parseInt(digit, 16) * 17,
    );
    expected.forEach((value, channel) => {
      assert.ok(Math.abs(pixels[channel]! - value) < 12, `${id}: ${[...pixels.subarray(0, 3)]}`);
    });
  }
});

test('the head tells what was evaluated, and that a limited run compares with nothing', async () => {
  const page = await reportOf();
  assert.match(
    plain(page.slice(page.indexOf('<header>'))),
    /^cirr val openai\/clip , 2026-03-04 05:06 UTC 1 method, 1 query, 6 images/,
  );
  assert.doesNotMatch(page, /class="banner"/);
  const queries = Array.from({ length: 1234 }, (_, at) => query(`${at}`));
  const limited = await reportOf({ queries, results: { limit: 2, queries: ['0', '1'] } });
  assert.match(
    limited,
    /class="banner" role="note"><strong>Only 2 of 1,234 queries:<\/strong> not comparable/,
  );
  assert.match(await reportOf({ results: {} }), /Model’s fingerprint.*f00d/);
});

test('figures are in percent, the best is marked, and differences have their p', async () => {
  const figure = { value: 0.5049, low: 0.45, high: 0.55 };
  const difference = { value: -0.00746, low: -0.02, high: 0.004, p: 0.21 };
  const page = await reportOf({
    results: {
      methods: [
        method('lincir', [1]),
        method('slerp', [1], {
          figures: { 'R@1': figure, 'R@5': { value: 0.90001, low: 0.8, high: 1 } },
          differences: { 'R@1': difference, 'R@5': { value: 0.00001, low: 0, high: 0.0001, p: 0.0004 } },
        }),
      ],
    },
  });
  const [, first, second] = page.split('<table class="figures">')[1]!.split('<tr>').slice(1);
  assert.equal(plain(first!), 'lincir 51.24 40.00 to 60.00 90.00 80.00 to 100.00');
  assert.match(
    plain(second!),
    /^slerp 50\.49 45\.00 to 55\.00 −0\.75 p = 0\.210 90\.00 80\.00 to 100\.00 0\.00 p &lt; 0\.001/,
  );
  assert.deepEqual(first!.match(/<td class="[^"]*"/g), ['<td class="primary best"', '<td class="best"']);
  assert.deepEqual(second!.match(/<td class="[^"]*"/g), ['<td class="primary"', '<td class="best"']);
  assert.match(second!, /class="difference faint" title="[^"]*−2\.00 to \+0\.40"[^§]*class="difference" /);
  assert.match(first!, /--low: 0\.6667; --high: 1\.0000; --at: 0\.8539/);
});

test('groups and wordings are broken down by the metric that is theirs', async () => {
  const values = { 'mAP@5': 0.1, 'mAP@10': 0.2 };
  const prompt = { composed: 'a photo of $ that {text}', text: '{text}' };
  const figures = { 'mAP@5': { value: 0.1, low: 0.05, high: 0.15 } };
  const wordings = [{ prompt: { composed: '$, {text}', text: 'only {text}' }, values: { 'mAP@5': 0.125 } }];
  const methods = [
    method('lincir', [1], { groups: { negation: { queries: 1, values } }, figures, prompt, wordings }),
    method('text', [1], { groups: { negation: { queries: 1, values: { 'mAP@10': 0.3 } } } }),
  ];
  const page = await reportOf({ results: { methods, metrics: ['mAP@5', 'mAP@10'], primaryMetric: 'mAP@5' } });
  const [groups, worded] = page
    .split('<table class="bars">')
    .slice(1)
    .map((part) => part.split('</table>')[0]!);
  assert.equal(plain(groups!), 'Group lincir text negation 1 query 20.00 30.00');
  assert.match(page, /By group <small>mAP@10</);
  assert.equal(
    plain(worded!),
    'Prompt lincir a photo of $ that {text} text alone: {text} 10.00 used above ' +
      '$, {text} text alone: only {text} 12.50 Between the best and the worst 2.50',
  );
  assert.doesNotMatch(await reportOf(), /By group|By wording/);
});

test('right answers are marked, and each method says at which rank the first is', async () => {
  const rankings = new Map([
    ['lincir', new Map([['q1', { gallery: ['i3', 'i4', 'i2', 'i1'] }]])],
    ['slerp', new Map([['q1', { gallery: ['i3', 'i4'] }]])],
  ]);
  const methods = [method('lincir', [0.25]), method('slerp', [0])];
  const queries = [query('q1', { targets: ['i2', 'i5'], texts: ['is red', 'has dots'], groups: ['dress'] })];
  const [card] = cards(await reportOf({ queries, rankings, results: { methods } }));
  assert.match(
    plain(card!),
    /is red also: has dots q1 · dress First right answer, R@1 lincir #3 25\.00 slerp past #2 0\.00/,
  );
  const [first, second] = [...card!.matchAll(/<ol class="tiles" aria-label="([^"]*)">(.*?)<\/ol>/g)];
  assert.equal(first![1], 'lincir: the first 4 of the gallery');
  assert.deepEqual(
    first![2]!
      .match(/<li.*?<\/li>/g)!
      .map((item) => [item.includes('class="right"'), /title="([^"]*)"/.exec(item)![1]]),
    [
      [false, 'i3'],
      [false, 'i4'],
      [true, 'i2: right answer'],
      [false, 'i1'],
    ],
  );
  assert.doesNotMatch(second![2]!, /right/);
  const ranks = card!.split('<div class="answers">')[1]!;
  assert.match(plain(ranks), /^2 right answers #3 past #2 past #4 past #2/);
  assert.match(card!, /class="t p\d+" role="img" title="i0: reference"/);
});

test('candidates stand alone where there is no gallery, and small beside one', async () => {
  const candidates = ['i1', 'i2', 'i3'];
  const rankings = new Map([
    [
      'lincir',
      new Map([
        ['q1', { gallery: ['i2', 'i1'], candidates }],
        ['q2', { candidates }],
      ]),
    ],
  ]);
  const { gallery: _, ...alone } = query('q2', { candidates });
  const page = await reportOf({
    queries: [query('q1', { candidates }), alone],
    rankings,
    results: { methods: [method('lincir', [1, 0])] },
  });
  const [both, only] = cards(page);
  assert.match(
    both!,
    /<ol class="tiles" aria-label="lincir: the first 2 of the gallery">[^§]*Among the 3 candidates: #2[^§]*<ol class="tiles minor"/,
  );
  assert.match(plain(both!), /lincir #1 100\.00/);
  assert.match(only!, /<ol class="tiles" aria-label="lincir: the first 3 of the candidates">/);
  assert.doesNotMatch(only!, /<ol class="tiles minor"|Among the/);
  assert.match(plain(only!), /lincir #2 0\.00/);
});

test('of many queries, the best and the worst are shown, and it says so', async () => {
  const values = [0.5, 0.1, 0.9, 0.3, 0.7, 0.2];
  const queries = values.map((_, at) => query(`q${at}`));
  const results = { methods: [method('lincir', values)] };
  const order = (page: string) =>
    cards(page)
      .map((card) => /data-at="(\d)"/.exec(card)![1])
      .join('');
  const all = await reportOf({ queries, results });
  assert.equal(order(all), '240351');
  assert.match(plain(all), /All 6 queries that were asked, the best by R@1 of lincir first/);
  const some = await reportOf({ queries, results, queriesShown: 3 });
  assert.equal(order(some), '241');
  assert.match(plain(some), /Only 3 of 6 queries: the 2 best and the 1 worst by R@1 of lincir/);
  assert.equal(order(await reportOf({ queries, results, queriesShown: 1 })), '2');
  const none = await reportOf({ queries, results, queriesShown: 0 });
  assert.doesNotMatch(none, /<script|<article|background-image: url|href="#queries"/);
});

test('queries can be sorted, and filtered by group and text', async () => {
  const queries = [query('q1', { groups: ['dress', 'top'] }), query('q2', { groups: ['top'] })];
  const page = await reportOf({
    queries,
    results: { methods: [method('lincir', [0.9, 0.1]), method('slerp', [0.25, 1])] },
  });
  assert.deepEqual(
    cards(page).map((card) =>
      /data-at="0" data-values="0.9 0.25" data-groups="0 1"|data-at="1" data-values="0.1 1" data-groups="1"/.test(
        card,
      ),
    ),
    [true, true],
  );
  assert.match(
    page,
    /<div class="filters" hidden>[^§]*<option value="1 0 -1">slerp: most below lincir[^§]*<option value="1">top</,
  );
  assert.match(page, /id="method-0" checked>[^§]*id="method-1">/);
});

test('a region is cut out, and what cannot be shown has a frame and is counted', async () => {
  const path = join(folder, 'halves.png');
  const right = {
    input: { create: { width: 50, height: 80, channels: 3, background: '#00f' } },
    left: 50,
    top: 0,
  } as const;
  await sharp({ create: { width: 100, height: 80, channels: 3, background: '#f00' } })
    .composite([right])
    .png()
    .toFile(path);
  const box = { left: 60, top: 0, right: 120, bottom: 40 };
  const page = await reportOf({
    images: [
      { id: 'i0', path, region: { box, square: 'pad' } },
      ...images.slice(1, 5),
      { id: 'i5', path: join(folder, 'no.png') },
    ],
  });
  const [, number] = /class="t p(\d+)" role="img" title="i0: reference"/.exec(page)!;
  const [, data] = new RegExp(
    `\\.p${number} \\{ background-image: url\\("data:image/jpeg;base64,([^"]*)"`,
  ).exec(page)!;
  const { data: pixels, info } = await sharp(Buffer.from(data!, 'base64'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height], [40, 40]);
  assert.ok(pixels[0]! < 20 && pixels[2]! > 230);
  assert.match(page, /<i class="t missing" role="img" title="i5"><\/i>/);
  assert.match(page, /1 image could not be read/);
});

test('what data says stays text', async () => {
  const bad = method(hostile, [1], {
    settings: { [hostile]: hostile },
    prompt: { composed: hostile, text: hostile },
    figures: { [hostile]: { value: 1, low: 1, high: 1 } },
    groups: { [hostile]: { queries: 1, values: { [hostile]: 1 } } },
    perQuery: { [hostile]: [1] },
    wordings: [{ prompt: { composed: `${hostile}2`, text: hostile }, values: { [hostile]: 1 } }],
  });
  const page = await reportOf({
    images: [...images, { id: hostile, path: images[0]!.path }],
    queries: [
      query(hostile, {
        texts: [hostile, hostile],
        groups: [hostile, 'b'],
        reference: hostile,
        targets: [hostile],
      }),
    ],
    results: {
      ...{
        benchmark: hostile,
        preset: hostile,
        options: { [hostile]: [hostile] },
        folder: hostile,
        date: hostile,
      },
      ...{ metrics: [hostile], primaryMetric: hostile, methods: [bad, { ...bad, name: `${hostile}b` }] },
      ...{ model: { name: hostile, fingerprint: hostile, targetPad: 1, precision: 'int8' } },
      ...{ seconds: { [hostile]: 1 }, versions: { [hostile]: hostile } },
    },
  });
  assert.ok(page.match(/&#60;script&#62;alert\(&#34;1&#34;\)/g)!.length > 40);
  assert.equal(page.match(/<script/g)?.length, 1);
  assert.match(page, /\[U\+202E\]/);
  assert.doesNotMatch(page, /\u202e/);
});

test('results of another benchmark are refused', async () => {
  await assert.rejects(
    reportOf({ results: { queries: ['other'] } }),
    /expected queries of cirr val, found the query "other"/,
  );
});
