/** ImageNet domain conversion: its queries and answers, recall and precision, and lists that are refused. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { BenchmarkQuery, OpenBenchmarkOptions } from '../benchmark.ts';
import { imagenetDomains } from './imagenet-domains.ts';

const photos = [
  'imgnet/real/n01/ILSVRC2012_val_00000001.JPEG 2 ',
  'imgnet/real/n01/ILSVRC2012_val_00000002.JPEG 2 ',
  'imgnet/real/n02/ILSVRC2012_val_00000003.JPEG 994 ',
];
const targets = [
  'imgnet/imagenet-r/n01/toy_3.jpg 2002 ',
  'imgnet/imagenet-r/n01/cartoon_2.jpg 2 ',
  'imgnet/imagenet-r/n02/cartoon_2.jpg 994',
  'imgnet/imagenet-r/n01/cartoon_18.jpg 2 ',
  'imgnet/imagenet-r/n02/origami_0.jpg 1994 ',
  'imgnet/imagenet-r/n02/sculpture_0.jpg 3994 ',
  'imgnet/real/n02/ILSVRC2012_val_00000003.JPEG 6994 ',
  'imgnet/real/n01/ILSVRC2012_val_00000001.JPEG 6002 ',
];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-domains-'));
  await write(folder, photos, targets);
});
afterEach(() => rm(folder, { recursive: true }));
async function write(place: string, queryLines: readonly string[], targetLines: readonly string[]) {
  await mkdir(place, { recursive: true });
  await writeFile(join(place, 'imgnet_real_query.txt'), `${queryLines.join('\n')}\n`);
  await writeFile(join(place, 'imgnet_targets.txt'), `${targetLines.join('\n')}\n`);
}
const open = (options: OpenBenchmarkOptions = {}) =>
  imagenetDomains.open(folder, { anyVersion: true, ...options });

describe('open', () => {
  test('asks for every photo in every domain, of which class and domain are right', async () => {
    const { queries, galleries, images, prompt, preset, metrics, primaryMetric, mean, topK } = await open();
    assert.deepEqual(
      queries.map(({ id, texts, targets: right }) => [
        id.replace('ILSVRC2012_val_0000000', ''),
        texts[0],
        right,
      ]),
      [
        [
          'cartoon/1',
          'cartoon',
          ['imgnet/imagenet-r/n01/cartoon_2.jpg', 'imgnet/imagenet-r/n01/cartoon_18.jpg'],
        ],
        [
          'cartoon/2',
          'cartoon',
          ['imgnet/imagenet-r/n01/cartoon_2.jpg', 'imgnet/imagenet-r/n01/cartoon_18.jpg'],
        ],
        ['cartoon/3', 'cartoon', ['imgnet/imagenet-r/n02/cartoon_2.jpg']],
        ['origami/1', 'origami', []],
        ['origami/2', 'origami', []],
        ['origami/3', 'origami', ['imgnet/imagenet-r/n02/origami_0.jpg']],
        ['toy/1', 'toy', ['imgnet/imagenet-r/n01/toy_3.jpg']],
        ['toy/2', 'toy', ['imgnet/imagenet-r/n01/toy_3.jpg']],
        ['toy/3', 'toy', []],
        ['sculpture/1', 'sculpture', []],
        ['sculpture/2', 'sculpture', []],
        ['sculpture/3', 'sculpture', ['imgnet/imagenet-r/n02/sculpture_0.jpg']],
      ],
    );
    const { id, reference, gallery, groups, exclude } = queries[6]!;
    assert.equal(id, 'toy/ILSVRC2012_val_00000001');
    assert.equal(reference, 'imgnet/real/n01/ILSVRC2012_val_00000001.JPEG');
    assert.deepEqual([gallery, groups, exclude], ['all', ['toy'], undefined]);
    assert.equal(queries[0]!.targets, queries[1]!.targets, 'shared, for 40,000 queries to be light');
    assert.deepEqual(
      galleries.get('all'),
      targets.map((line) => line.split(' ')[0]),
    );
    // Two photos are both queries and targets.
    assert.equal(images.length, 3 + 8 - 2);
    assert.equal(images[0]!.path, join(folder, 'imgnet/real/n01/ILSVRC2012_val_00000001.JPEG'));
    assert.deepEqual(prompt, { composed: 'a {text} of $', text: 'a {text}' });
    assert.deepEqual(
      [preset, primaryMetric, mean, topK],
      ['imagenet-domains, any version', 'R@10', 'queries', 50],
    );
    assert.deepEqual(metrics, ['R@10', 'R@50', 'P@10', 'P@50']);
  });

  test('finds its lists in imgnet/ and data/ as well, but images from the folder on', async () => {
    for (const place of ['imgnet', 'data']) {
      await rm(folder, { recursive: true });
      await write(join(folder, place), photos, targets);
      assert.equal((await open()).images[3]!.path, join(folder, 'imgnet/imagenet-r/n01/toy_3.jpg'));
    }
    await rm(join(folder, 'data/imgnet_targets.txt'));
    await assert.rejects(open(), { code: 'not-found', message: /imgnet_targets\.txt: expected the list in/ });
  });

  test('asks in chosen domains only, among all targets', async () => {
    const { queries, galleries, preset } = await open({ only: ['toy', 'cartoon'] });
    assert.deepEqual(new Set(queries.flatMap(({ groups }) => groups)), new Set(['cartoon', 'toy']));
    assert.equal(galleries.get('all')!.length, targets.length);
    assert.equal(preset, 'imagenet-domains, only cartoon, toy, any version');
  });

  test('refuses options that it lacks', async () => {
    const refused = (message: RegExp) => ({ code: 'bad-argument', message });
    await assert.rejects(open({ split: 'val' }), refused(/`split`: expected nothing/));
    await assert.rejects(open({ variant: 'easy' }), refused(/`variant`: expected nothing/));
    await assert.rejects(
      open({ only: ['real'] }),
      refused(/`only`: expected cartoon, origami, toy, sculpture/),
    );
  });

  test('refuses other counts than the published ones, unless they are wanted', async () => {
    const bare = imagenetDomains.open(folder, {});
    await assert.rejects(bare, /imgnet_real_query\.txt: expected 10000 photos, as published, found 3/);
  });

  const query = 'imgnet_real_query.txt';
  const target = 'imgnet_targets.txt';
  const broken: Record<string, { file: string; line: string; message: RegExp }> = {
    'a line without a class': {
      file: target,
      line: 'imgnet/imagenet-r/n01/toy_3.jpg ',
      message: /targets\.txt: line 9: expected the path of an image and the number of its class, found "img/,
    },
    'an empty line': { file: query, line: '', message: /query\.txt: line 4: expected the path.*found ""/ },
    'a class with words': {
      file: target,
      line: 'a/n01/toy_4.jpg 2002 x',
      message: /line 9: expected the path/,
    },
    'a toy with the class of a cartoon': {
      file: target,
      line: 'a/n01/toy_4.jpg 2',
      message: /targets\.txt: line 9: expected a class of 2000 to 2999 for an image whose domain is toy/,
    },
    'a cartoon with the class of origami': {
      file: target,
      line: 'a/n01/cartoon_4.jpg 1002',
      message: /line 9: expected a class of 0 to 999 for an image whose domain is cartoon/,
    },
    'a name without a domain but of one': {
      file: target,
      line: 'a/n01/sketch_4.jpg 2',
      message: /line 9: expected a class of 6000 to 6999 for an image whose domain is real/,
    },
    'another class than the rest of its folder': {
      file: target,
      line: 'a/n01/toy_4.jpg 2003',
      message: /line 9: expected the class 2002, that of other images in n01/,
    },
    'a query that is no photo': {
      file: query,
      line: 'a/n01/toy_3.jpg 2',
      message: /query\.txt: line 4: expected a photo, found "a/,
    },
    'a query with the class of a target': {
      file: query,
      line: 'a/n01/val_4.JPEG 6002',
      message: /query\.txt: line 4: expected a class of 0 to 999/,
    },
    'a photo twice among the queries': {
      file: query,
      line: photos[0]!,
      message: /query cartoon\/ILSVRC2012_val_00000001: expected every id once/,
    },
    'a target twice': { file: target, line: targets[0]!, message: /gallery all: expected every id once/ },
    'an image outside': {
      file: target,
      line: '../n01/toy_4.jpg 2002',
      message: /targets\.txt: line 9: expected a path within the folder/,
    },
  };
  for (const [what, { file, line, message }] of Object.entries(broken)) {
    test(`refuses ${what}`, async () => {
      const [queryLines, targetLines] =
        file === query ? [[...photos, line], targets] : [photos, [...targets, line]];
      await write(folder, queryLines, targetLines);
      await assert.rejects(open(), { code: 'bad-file', message });
    });
  }
});

describe('score', () => {
  const queryOf = (right: readonly string[]): BenchmarkQuery => ({
    id: 'q',
    reference: 'r',
    texts: ['toy'],
    gallery: 'all',
    targets: right,
    groups: ['toy'],
  });
  const ids = Array.from({ length: 60 }, (_, at) => `p${at}`);

  test('counts right images place by place', async () => {
    const { score } = await open();
    let state = 7;
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    for (let trial = 0; trial < 200; trial += 1) {
      const ranked = ids.map((id) => ({ id, key: random() })).sort((a, b) => a.key - b.key);
      const share = random();
      const right = ids.filter(() => random() < share);
      const relevance = ranked.map(({ id }) => (right.includes(id) ? 1 : 0));
      const sum = (k: number) => relevance.slice(0, k).reduce<number>((total, value) => total + value, 0);
      assert.deepEqual(score(queryOf(right), { gallery: ranked.slice(0, 50).map(({ id }) => id) }), {
        'R@10': sum(10) / Math.max(1, right.length),
        'R@50': sum(50) / Math.max(1, right.length),
        'P@10': sum(10) / 10,
        'P@50': sum(50) / 50,
      });
    }
  });

  test('is 0 without right images, divides by k for short rankings, and counts none twice', async () => {
    const { score, metrics } = await open();
    const values = (right: readonly string[], gallery?: readonly string[]) => {
      const figures = score(queryOf(right), gallery ? { gallery } : {});
      return metrics.map((metric) => figures[metric]);
    };
    assert.deepEqual(values([], ids.slice(0, 50)), [0, 0, 0, 0]);
    assert.deepEqual(values(['p0']), [0, 0, 0, 0]);
    assert.deepEqual(values(['p0', 'p1'], ['p1', 'p0']), [1, 1, 0.2, 0.04]);
    assert.deepEqual(values(['p0', 'p9', 'p10', 'p49', 'p50'], ids), [0.4, 0.8, 0.2, 0.08]);
    assert.deepEqual(values(['p0', 'p1'], ['p0', 'p0', 'p0']), [0.5, 0.5, 0.1, 0.02]);
  });
});
