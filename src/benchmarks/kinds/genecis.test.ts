/** GeneCIS: its tasks' queries, crops and recalls, where its images are found, and templates that are refused. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { OpenBenchmarkOptions } from '../benchmark.ts';
import { genecis } from './genecis.ts';

const photo = (id: number) => ({ val_image_id: id });
const crop = (id: number | string, ...instance_bbox: number[]) => ({ image_id: id, instance_bbox });
const objects = [
  {
    condition: 'wall',
    reference: photo(1),
    target: photo(22),
    gallery: [photo(3), photo(581_482), photo(5)],
  },
  { condition: 'sky', reference: photo(22), target: photo(3), gallery: [photo(1), photo(5)] },
];
const attributes = [
  {
    condition: 'the same color',
    reference: crop(7, 100, 50, 40, 20),
    target: crop(8, 10, 30, 20, 40),
    gallery: [crop(7, 1, 2, 3, 4), crop('9', 0, 0, 10.5, 10)],
  },
];
const tasks = ['focus_attribute', 'change_attribute', 'focus_object', 'change_object'];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-genecis-'));
  await mkdir(join(folder, 'genecis'));
  for (const task of tasks) await write(task, task.endsWith('object') ? objects : attributes);
});
afterEach(() => rm(folder, { recursive: true }));
const write = (task: string, json: unknown) =>
  writeFile(join(folder, 'genecis', `${task}.json`), JSON.stringify(json));
const touch = async (...path: string[]) => {
  await mkdir(join(folder, ...path.slice(0, -1)), { recursive: true });
  await writeFile(join(folder, ...path), '');
};
const open = (options: OpenBenchmarkOptions = {}) => genecis.open(folder, { anyVersion: true, ...options });

describe('open', () => {
  test('ranks the target among its gallery, for every task', async () => {
    const { queries, galleries, prompt, preset, primaryMetric, mean, metrics } = await open();
    assert.deepEqual(queries[2], {
      id: 'focus_object/0',
      reference: '1',
      texts: ['wall'],
      candidates: ['22', '3', '581482', '5'],
      targets: ['22'],
      groups: ['focus_object'],
    });
    assert.deepEqual(queries[0], {
      id: 'focus_attribute/0',
      reference: '7@100,50,40,20',
      texts: ['the same color'],
      candidates: ['8@10,30,20,40', '7@1,2,3,4', '9@0,0,10.5,10'],
      targets: ['8@10,30,20,40'],
      groups: ['focus_attribute'],
    });
    assert.deepEqual(
      queries.map(({ id }) => id),
      ['focus_attribute/0', 'change_attribute/0', 'focus_object/0', 'focus_object/1'].concat([
        'change_object/0',
        'change_object/1',
      ]),
    );
    assert.equal(galleries.size, 0);
    assert.deepEqual(prompt, { composed: 'a photo of $ that {text}', text: '{text}' });
    assert.deepEqual([preset, primaryMetric, mean], ['genecis, any version', 'R@1', 'groups']);
    assert.deepEqual(metrics, ['R@1', 'R@2', 'R@3']);
  });

  test('shows whole photos of COCO, and dilated boxes of Visual Genome on a square', async () => {
    const images = new Map((await open()).images.map((image) => [image.id, image]));
    assert.equal(images.size, 5 + 4);
    assert.deepEqual(images.get('581482'), { id: '581482', path: join(folder, 'val2017/000000581482.jpg') });
    const { region, path } = images.get('7@100,50,40,20')!;
    assert.equal(path, join(folder, 'VG_100K_all/7.jpg'));
    assert.equal(region?.square, 'pad');
    // 0.7 × 40 to the left, 0.7 × 20 up; then 1.7 × as wide and high from there.
    near(region.box, { left: 72, top: 36, right: 140, bottom: 70 });
    // Cut at the left: the right edge is counted from there.
    near(images.get('8@10,30,20,40')!.region!.box, { left: 0, top: 2, right: 34, bottom: 70 });
    near(images.get('9@0,0,10.5,10')!.region!.box, { left: 0, top: 0, right: 17.85, bottom: 17 });
  });

  test('finds images wherever their folders lie', async () => {
    await touch('coco', 'val2017', 'x.jpg');
    await touch('VG_100K', '7.jpg');
    await touch('visual_genome', 'VG_100K_2', '8.jpg');
    const paths = new Map((await open()).images.map(({ id, path }) => [id, path]));
    assert.equal(paths.get('3'), join(folder, 'coco/val2017/000000000003.jpg'));
    assert.equal(paths.get('7@1,2,3,4'), join(folder, 'VG_100K/7.jpg'));
    assert.equal(paths.get('8@10,30,20,40'), join(folder, 'visual_genome/VG_100K_2/8.jpg'));
    assert.equal(paths.get('9@0,0,10.5,10'), join(folder, 'VG_100K_all/9.jpg'));
  });

  test('takes an image that is listed again as another one that is not right', async () => {
    await write('change_object', [
      {
        condition: 'toaster',
        reference: photo(1),
        target: photo(2),
        gallery: [photo(3), photo(2), photo(2)],
      },
    ]);
    const { queries, images, score } = await open({ only: ['change_object'] });
    assert.deepEqual(queries[0]!.candidates, ['2', '3', '2#2', '2#3']);
    assert.deepEqual(queries[0]!.targets, ['2']);
    const path = join(folder, 'val2017/000000000002.jpg');
    assert.deepEqual(
      images.filter(({ id }) => id.startsWith('2')),
      ['2', '2#2', '2#3'].map((id) => ({ id, path })),
    );
    const candidates = ['2#2', '2', '3', '2#3'];
    assert.deepEqual(score(queries[0]!, { candidates }), { 'R@1': 0, 'R@2': 1, 'R@3': 1 });
  });

  test('as released, asks tasks of objects with 0', async () => {
    const { queries, preset } = await open({ variant: 'as-released' });
    const texts = new Map(queries.map(({ id, texts: [text] }) => [id, text]));
    assert.equal(texts.get('focus_object/1'), '0');
    assert.equal(texts.get('change_object/0'), '0');
    assert.equal(texts.get('focus_attribute/0'), 'the same color');
    assert.equal(preset, 'genecis, as-released, any version');
  });

  test('reads chosen tasks only, and says what to choose where some are missing', async () => {
    await rm(join(folder, 'genecis/focus_attribute.json'));
    await rm(join(folder, 'genecis/change_attribute.json'));
    const { queries, preset } = await open({ only: ['change_object', 'focus_object'] });
    assert.deepEqual(new Set(queries.flatMap(({ groups }) => groups)), new Set(tasks.slice(2)));
    assert.equal(preset, 'genecis, only focus_object, change_object, any version');
    const message =
      /focus_attribute\.json, .*change_attribute\.json: expected .*`only: 'focus_object,change_object'`$/;
    await assert.rejects(open(), { code: 'not-found', message });
    await rm(join(folder, 'genecis'), { recursive: true });
    await assert.rejects(open(), (error: Error) => !error.message.includes('`only'));
  });

  test('refuses options that it lacks', async () => {
    const refused = (message: RegExp) => ({ code: 'bad-argument', message });
    await assert.rejects(open({ split: 'val' }), refused(/`split`: expected nothing/));
    await assert.rejects(open({ variant: 'released' }), refused(/`variant`: expected as-released/));
    await assert.rejects(open({ only: ['focus'] }), refused(/`only`: expected focus_attribute, change_a/));
  });

  test('refuses other counts of objects than the published ones, unless they are wanted', async () => {
    const bare = (only: string) => genecis.open(folder, { only: [only] });
    await assert.rejects(
      bare('focus_object'),
      /focus_object\.json: expected 1960 templates, as published, found 2/,
    );
    await write('focus_object', Array(1960).fill(objects[0]));
    await assert.rejects(bare('focus_object'), /query focus_object\/0: gallery: expected 14 images/);
    assert.equal((await bare('change_attribute')).queries.length, 1);
  });

  const broken: Record<string, { task: string; template: object; message: RegExp }> = {
    'no condition': {
      task: 'focus_object',
      template: { ...objects[0], condition: undefined },
      message: /focus_object\.json: 0: condition: expected string.*found nothing/,
    },
    'an empty gallery': {
      task: 'focus_object',
      template: { ...objects[0], gallery: [] },
      message: /focus_object\.json: 0: gallery/,
    },
    'a photo that is no number': {
      task: 'focus_object',
      template: { ...objects[0], target: { val_image_id: '../7' } },
      message: /focus_object\.json: 0: target: val_image_id: expected (number|int).*found.*7/,
    },
    'an image that is a path': {
      task: 'focus_attribute',
      template: { ...attributes[0], target: crop('../7', 1, 1, 1, 1) },
      message: /focus_attribute\.json: 0: target: image_id: expected the number of an image, found.*7/,
    },
    'a box of three numbers': {
      task: 'focus_attribute',
      template: { ...attributes[0], gallery: [crop(7, 1, 1, 1)] },
      message: /focus_attribute\.json: 0: gallery: 0: instance_bbox/,
    },
    'a box without width': {
      task: 'focus_attribute',
      template: { ...attributes[0], gallery: [crop(7, 1, 1, 0, 1)] },
      message: /focus_attribute\.json: 0: gallery: 0: instance_bbox: 2/,
    },
  };
  for (const [what, { task, template, message }] of Object.entries(broken)) {
    test(`refuses ${what}`, async () => {
      await write(task, [template]);
      await assert.rejects(open(), { code: 'bad-file', message });
    });
  }
});

test('score is the recall of the target at its place', async () => {
  const { queries, score } = await open();
  for (const query of queries) {
    const others = query.candidates!.slice(1);
    for (let place = 0; place <= others.length; place += 1) {
      const candidates = [...others.slice(0, place), query.targets![0]!, ...others.slice(place)];
      const expected = { 'R@1': +(place < 1), 'R@2': +(place < 2), 'R@3': +(place < 3) };
      assert.deepEqual(score(query, { candidates }), expected, query.id);
    }
    assert.deepEqual(score(query, { candidates: others }), { 'R@1': 0, 'R@2': 0, 'R@3': 0 });
    assert.deepEqual(score(query, { gallery: query.candidates! }), { 'R@1': 0, 'R@2': 0, 'R@3': 0 });
  }
});

function near(box: object, expected: object): void {
  assert.deepEqual(Object.keys(box), Object.keys(expected));
  const wanted: number[] = Object.values(expected);
  Object.values(box).forEach((value: number, at) => {
    assert.ok(Math.abs(value - wanted[at]!) < 1e-9, `${JSON.stringify(box)}, ${JSON.stringify(expected)}`);
  });
}
