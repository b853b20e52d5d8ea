/** FashionIQ: its texts, galleries and recalls, its files of predictions, and annotations that are refused. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Benchmark, BenchmarkQuery, Ranking } from '../benchmark.ts';
import { openBenchmark } from '../open.ts';
import { fashioniq } from './fashioniq.ts';

const categories = ['dress', 'shirt', 'toptee'];
const predictions = fashioniq.predictions!;

/** 60 images a category; `shared` is in two of them. */
const idsOf = (category: string): string[] => [
  ...Array.from({ length: 59 }, (_, at) => `${category}${at}`),
  category === 'dress' ? 'dress59' : 'shared',
];
const annotationsOf = (category: string) => [
  {
    target: `${category}1`,
    candidate: `${category}0`,
    captions: ['Is red, not blue. ', ' ?.has 3/4 sleeves'],
  },
  { target: idsOf(category)[59]!, candidate: `${category}1`, captions: ['', 'is plain'] },
  { target: `${category}2`, candidate: `${category}0`, captions: ['Mr. B. shirt..', '... '] },
];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-fashioniq-'));
  for (const name of ['captions', 'image_splits', 'images']) await mkdir(join(folder, name));
});
after(() => rm(folder, { recursive: true }));
const write = (path: string, json: unknown) => writeFile(join(folder, path), JSON.stringify(json));
beforeEach(async () => {
  for (const category of categories) {
    await write(`captions/cap.${category}.val.json`, annotationsOf(category));
    await write(`image_splits/split.${category}.val.json`, idsOf(category));
  }
});
const open = (only?: string[]): Promise<Benchmark> => fashioniq.open(folder, { anyVersion: true, only });

describe('open', () => {
  test('asks with both captions, either first, without the marks around them', async () => {
    const { queries, prompt, primaryMetric, mean, metrics, topK, preset } = await open();
    assert.deepEqual(
      queries.slice(3, 6).map(({ id, texts }) => [id, ...texts]),
      [
        ['shirt/0', 'Is red, not blue and has 3/4 sleeves', 'has 3/4 sleeves and Is red, not blue'],
        ['shirt/1', ' and is plain', 'is plain and '],
        ['shirt/2', 'Mr. B. shirt and ', ' and Mr. B. shirt'],
      ],
    );
    const { reference, targets, gallery, groups, exclude, candidates } = queries[3]!;
    assert.deepEqual(
      { reference, targets, gallery, groups, exclude, candidates },
      {
        reference: 'shirt0',
        targets: ['shirt1'],
        gallery: 'shirt',
        groups: ['shirt'],
        exclude: undefined,
        candidates: undefined,
      },
    );
    assert.deepEqual(prompt, { composed: 'a photo of $ that {text}', text: '{text}' });
    assert.deepEqual(
      [preset, primaryMetric, mean, topK],
      ['fashioniq val, any version', 'R@10', 'groups', 50],
    );
    assert.deepEqual(metrics, ['R@10', 'R@50']);
  });

  test('has a gallery a category, and an image of two of them once', async () => {
    const { galleries, images } = await open();
    assert.deepEqual([...galleries.keys()], categories);
    for (const category of categories) assert.deepEqual(galleries.get(category), idsOf(category));
    assert.equal(images.length, 179);
    assert.equal(images.filter(({ id }) => id === 'shared').length, 1);
  });

  test('takes images by the ending that they have, and PNG for those that are not there', async () => {
    for (const name of ['dress0.jpg', 'dress1.jpeg', 'dress2.png', 'dress3.txt']) {
      await writeFile(join(folder, 'images', name), '');
    }
    const { images } = await open(['dress']);
    assert.deepEqual(
      images.slice(0, 4).map(({ path }) => path),
      ['dress0.jpg', 'dress1.jpeg', 'dress2.png', 'dress3.png'].map((name) => join(folder, 'images', name)),
    );
  });

  test('names match in every form of Unicode', async () => {
    const [nfc, nfd] = ['sh\u00e9', 'she\u0301'];
    await write('image_splits/split.shirt.val.json', [...idsOf('shirt').slice(0, 59), nfd]);
    await write('captions/cap.shirt.val.json', [
      { target: nfc, candidate: 'shirt0', captions: ['is', 'red'] },
    ]);
    await writeFile(join(folder, 'images', `${nfd}.jpg`), '');
    const { images, queries } = await openBenchmark('fashioniq', folder, {
      anyVersion: true,
      only: ['shirt'],
    });
    assert.equal(images.at(-1)!.path, join(folder, 'images', `${nfd}.jpg`));
    assert.deepEqual(queries[0]!.targets, [images.at(-1)!.id]);
  });

  test('reads the files of chosen categories only', async () => {
    await rm(join(folder, 'captions/cap.dress.val.json'));
    const { queries, galleries, preset } = await open(['toptee', 'shirt']);
    assert.deepEqual([...galleries.keys()], ['shirt', 'toptee']);
    assert.equal(queries.length, 6);
    assert.equal(preset, 'fashioniq val, only shirt, toptee, any version');
    await assert.rejects(open(), { code: 'not-found', message: /cap\.dress\.val\.json/ });
  });

  test('refuses options that it lacks', async () => {
    const refused = (message: RegExp) => ({ code: 'bad-argument', message });
    await assert.rejects(fashioniq.open(folder, { split: 'test' }), refused(/`split`: expected val/));
    await assert.rejects(fashioniq.open(folder, { variant: 'easy' }), refused(/`variant`: expected nothing/));
    await assert.rejects(open(['hats']), refused(/`only`: expected dress, shirt, toptee, found "hats"/));
  });

  const broken: Record<string, { file: string; json: unknown; message: RegExp }> = {
    'a caption less': {
      file: 'captions/cap.dress.val.json',
      json: [{ target: 'dress1', candidate: 'dress0', captions: ['is red'] }],
      message: /cap\.dress\.val\.json: 0: captions/,
    },
    'a caption that is no text': {
      file: 'captions/cap.dress.val.json',
      json: [...annotationsOf('dress'), { target: 'dress1', candidate: 'dress0', captions: ['is red', 7] }],
      message: /cap\.dress\.val\.json: 3: captions: 1: expected string.*found "?7/,
    },
    'a target of another category': {
      file: 'captions/cap.dress.val.json',
      json: [{ target: 'shirt1', candidate: 'dress0', captions: ['a', 'b'] }],
      message: /query dress\/0: expected targets among the images that are ranked, found "shirt1"/,
    },
    'a candidate that is nowhere': {
      file: 'captions/cap.dress.val.json',
      json: [{ target: 'dress1', candidate: 'hat0', captions: ['a', 'b'] }],
      message: /query dress\/0: expected a reference among the images, found "hat0"/,
    },
    'an image twice': {
      file: 'image_splits/split.shirt.val.json',
      json: [...idsOf('shirt'), 'shirt7'],
      message: /gallery shirt: expected every id once, found "shirt7 twice"/,
    },
    'an image outside': {
      file: 'image_splits/split.shirt.val.json',
      json: [...idsOf('shirt'), '../../captions'],
      message: /split\.shirt\.val\.json: expected a path within the folder/,
    },
  };
  for (const [what, { file, json, message }] of Object.entries(broken)) {
    test(`refuses ${what}`, async () => {
      await write(file, json);
      await assert.rejects(open(), { code: 'bad-file', message });
    });
  }

  test('refuses other counts than the published ones, unless they are wanted', async () => {
    await assert.rejects(fashioniq.open(folder, {}), /split\.dress\.val\.json: expected 3817 images, as/);
  });
});

test('score is the recall that a count of better images gives', async () => {
  const { queries, galleries, score } = await open();
  let state = 1;
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  for (let trial = 0; trial < 200; trial += 1) {
    const query = queries[trial % queries.length]!;
    const similarity = new Map(galleries.get(query.gallery!)!.map((id) => [id, random()]));
    const ranking = [...similarity.keys()].sort((a, b) => similarity.get(b)! - similarity.get(a)!);
    const better = [...similarity.values()].filter((value) => value > similarity.get(query.targets![0]!)!);
    assert.deepEqual(score(query, { gallery: ranking.slice(0, 50) }), {
      'R@10': Number(better.length <= 9),
      'R@50': Number(better.length <= 49),
    });
  }
  const [query] = queries as [BenchmarkQuery];
  const others = idsOf('dress').filter((id) => id !== 'dress1');
  const at = (place: number): Ranking => ({ gallery: others.toSpliced(place, 0, 'dress1') });
  const values = [0, 9, 10, 49, 50].map((place) => Object.values(score(query, at(place))));
  assert.deepEqual(values, [
    [1, 1],
    [1, 1],
    [0, 1],
    [0, 1],
    [0, 0],
  ]);
  assert.deepEqual(score(query, { gallery: [] }), { 'R@10': 0, 'R@50': 0 });
  assert.deepEqual(score(query, { candidates: ['dress1'] }), { 'R@10': 0, 'R@50': 0 });
});

describe('predictions', () => {
  const rankingsOf = ({ queries, galleries }: Benchmark): Map<string, Ranking> =>
    new Map(
      queries.map(({ id, gallery }, at) => {
        const ids = galleries.get(gallery!)!;
        return [id, { gallery: [...ids.slice(at), ...ids.slice(0, at)].slice(0, 50) }];
      }),
    );

  test('are the annotations of each category without targets, with rankings, and read back the same', async () => {
    const benchmark = await open();
    const rankings = rankingsOf(benchmark);
    assert.deepEqual(predictions.files, { dress: 'gallery', shirt: 'gallery', toptee: 'gallery' });
    for (const category of categories) {
      const json = predictions.write(category, benchmark, rankings);
      assert.deepEqual(
        json,
        annotationsOf(category).map(({ candidate, captions }, at) => ({
          candidate,
          captions,
          ranking: rankings.get(`${category}/${at}`)!.gallery,
        })),
      );
      const read = predictions.read(JSON.parse(JSON.stringify(json)), benchmark, 'mine.json');
      assert.deepEqual(
        [...read],
        [0, 1, 2].map((at) => [`${category}/${at}`, rankings.get(`${category}/${at}`)]),
      );
    }
  });

  test('may rank all of a category, and hold the targets as annotations do', async () => {
    const benchmark = await open();
    const json = annotationsOf('shirt').map((entry) => ({ ...entry, ranking: idsOf('shirt') }));
    const read = predictions.read(json, benchmark, 'mine.json');
    assert.deepEqual(read.get('shirt/2')!.gallery, idsOf('shirt').slice(0, 50));
  });

  const entries = () =>
    annotationsOf('toptee').map(({ candidate, captions }) => ({
      candidate,
      captions,
      ranking: idsOf('toptee').slice(0, 50),
    }));
  const broken: Record<string, { json: unknown; message: RegExp }> = {
    'no list': { json: { toptee: [] }, message: /mine\.json: expected array/ },
    'an empty list': {
      json: [],
      message: /mine\.json: 0: expected the first annotation of dress, shirt, toptee, found none/,
    },
    'another order': {
      json: [entries()[0], entries()[2], entries()[1]],
      message: /query toptee\/1: expected \["toptee1",\["","is plain"\]\], in the order of the annotations/,
    },
    'an annotation less': { json: entries().slice(0, 2), message: /query toptee\/2: expected .*found none/ },
    'an annotation more': {
      json: [...entries(), entries()[0]],
      message: /mine\.json: 3: expected only 3 annotations/,
    },
    'too few ids': {
      json: entries().with(1, { ...entries()[1]!, ranking: idsOf('toptee').slice(0, 49) }),
      message: /query toptee\/1: expected 50 ids, found 49/,
    },
    'an id twice': {
      json: entries().with(1, {
        ...entries()[1]!,
        ranking: ['toptee1', ...idsOf('toptee').slice(0, 49)],
      }),
      message: /query toptee\/1: expected every id once, found "toptee1" twice/,
    },
    'an id of another category': {
      json: entries().with(2, {
        ...entries()[2]!,
        ranking: ['dress1', ...idsOf('toptee').slice(0, 49)],
      }),
      message: /query toptee\/2: expected images of gallery toptee, found "dress1"/,
    },
    'an id that is a number': {
      json: [{ ...entries()[0]!, ranking: [1] }],
      message: /mine\.json: 0: ranking: 0: expected string/,
    },
  };
  for (const [what, { json, message }] of Object.entries(broken)) {
    test(`are refused with ${what}`, async () => {
      const benchmark = await open();
      assert.throws(() => predictions.read(json, benchmark, 'mine.json'), { code: 'bad-file', message });
    });
  }
});
