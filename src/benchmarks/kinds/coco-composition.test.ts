/** COCO's object composition: which object stands for a photo, what is said of the others, and what is refused. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LincirError } from '../../core/index.ts';
import type { OpenBenchmarkOptions } from '../benchmark.ts';
import { cocoComposition } from './coco-composition.ts';

const categories = [
  { id: 1, name: 'person', supercategory: 'person' },
  { id: 17, name: 'cat', supercategory: 'animal' },
  { id: 63, name: 'couch', supercategory: 'furniture' },
];
type Annotation = Record<string, unknown>;

/** A photo of 100 x 80. */
const photo = (id: number) => ({ id, file_name: `${id}.jpg`, width: 100, height: 80 });
function annotation(id: number, image: number, category: number, bbox: number[], more: Annotation = {}) {
  const [left, top, width, height] = bbox as [number, number, number, number];
  const polygon = [left, top, left + width, top, left + width, top + height];
  return {
    id,
    image_id: image,
    category_id: category,
    bbox,
    iscrowd: 0,
    segmentation: [polygon],
    ...more,
  };
}

async function folderOf(context: TestContext, json: unknown, path = 'annotations'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-coco-'));
  context.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, path, 'instances_val2017.json'), JSON.stringify(json));
  return folder;
}

async function opened(
  context: TestContext,
  annotations: Annotation[],
  photos: number[],
  options: OpenBenchmarkOptions = {},
) {
  const folder = await folderOf(context, { images: photos.map(photo), annotations, categories });
  return await cocoComposition.open(folder, { anyVersion: true, ...options });
}

function refuses(code: string, ...parts: string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof LincirError && error.code === code, String(error));
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
    return true;
  };
}

test('a photo is asked for by one of its objects and the classes of all', async (context) => {
  const benchmark = await opened(
    context,
    [
      annotation(7, 5, 63, [0, 0, 100, 79]), // too large
      annotation(8, 5, 1, [10.6, 20.2, 30.9, 40.9]),
      annotation(9, 5, 63, [0, 0, 100, 70]), // a class twice
      annotation(3, 2, 17, [1, 2, 3, 4]),
    ],
    [5, 2],
  );
  assert.equal(benchmark.preset, 'coco-composition val2017, any version');
  assert.deepEqual(benchmark.galleries, new Map([['all', ['2', '5']]]));
  assert.deepEqual(benchmark.queries, [
    { id: '3', reference: '3@2', texts: ['cat'], gallery: 'all', targets: ['2'], groups: ['animal'] },
    {
      id: '8',
      reference: '8@5',
      texts: ['person and couch'],
      gallery: 'all',
      targets: ['5'],
      groups: ['person'],
    },
  ]);
  const [image, cut] = ['5', '8@5'].map((id) => benchmark.images.find((other) => other.id === id)!);
  assert.deepEqual(image, { id: '5', path: join(benchmark.folder, 'val2017', '5.jpg') });
  assert.equal(cut!.path, image!.path);
  // 10.6 + 30.9 and 20.2 + 40.9, less what is behind the point.
  assert.deepEqual(cut!.region, {
    box: { left: 10, top: 20, right: 41, bottom: 61 },
    mask: { polygons: [[10.6, 20.2, 41.5, 20.2, 41.5, 61.099999999999994]] },
    square: 'squash',
  });
  assert.equal(benchmark.images.length, 4);
});

test('crowds, boxes of half the photo and boxes without a pixel are not asked with', async (context) => {
  const annotations = [
    annotation(1, 1, 17, [0, 0, 50, 50], {
      iscrowd: 1,
      segmentation: { counts: [0, 8000], size: [80, 100] },
    }),
    annotation(2, 1, 1, [0, 0, 80, 50]), // 4,000 of 8,000 pixels
    annotation(3, 1, 63, [10.1, 10, 0.8, 20]),
    annotation(4, 1, 63, [100, 10, 5, 5]), // past the edge
    annotation(5, 2, 1, [0, 0, 79.9, 50]),
    annotation(6, 3, 1, [4, 4, 1, 1]),
  ];
  const benchmark = await opened(context, annotations, [1, 2, 3, 4]);
  assert.deepEqual(
    benchmark.queries.map(({ id }) => id),
    ['5', '6'],
  );
  const large = await opened(context, annotations, [1, 2, 3, 4], { variant: 'large-objects' });
  assert.equal(large.preset, 'coco-composition val2017, large-objects, any version');
  assert.deepEqual(
    large.queries.map(({ id }) => id),
    ['5'],
  );
  const named = await opened(context, [...annotations, annotation(9, 1, 63, [0, 0, 9, 9])], [1, 2, 3, 4]);
  assert.deepEqual(named.queries[0]?.texts, ['couch and cat and person']);
});

test('which object is drawn hangs on the photo alone, and all have their chance', async (context) => {
  const photos = Array.from({ length: 300 }, (_, at) => at + 1);
  const annotations = photos.flatMap((image) =>
    [0, 1, 2].map((at) => annotation(image * 10 + at, image, 1, [at, 0, 20, 20])),
  );
  const all = (await opened(context, annotations, photos)).queries.map(({ id }) => id);
  const some = (await opened(context, annotations.slice(300), photos.slice(100))).queries.map(({ id }) => id);
  assert.deepEqual(some, all.slice(100));
  // Figures of one version are to stand beside those of another.
  assert.equal(
    all
      .slice(0, 20)
      .map((id) => id.at(-1))
      .join(''),
    '10210022100110110102',
  );
  const counts = [0, 1, 2].map((at) => all.filter((id) => Number(id) % 10 === at).length);
  assert.ok(
    counts.every((count) => count > 70),
    String(counts),
  );
});

test('segmentations may be runs, packed ones too', async (context) => {
  const box = [10, 10, 20, 20];
  const runs = [810, 20, 60, 10, 7100];
  const maskOf = async (counts: unknown) => {
    const segmentation = { counts, size: [80, 100] };
    const { images } = await opened(context, [annotation(1, 1, 1, box, { segmentation })], [1]);
    return images.find(({ region }) => region)?.region?.mask;
  };
  assert.deepEqual(await maskOf(runs), { runs, height: 80, width: 100 });
  // 810, 20, 60, 10 - 20, 7100 - 60 by five bits from the lowest, 32 more if others follow, as characters from `0` on.
  const packed = String.fromCharCode(
    ...[10 + 32, 25 + 32, 0, 20 + 32, 0, 28 + 32, 1, 22, 0 + 32, 28 + 32, 6].map((bits) => bits + 48),
  );
  assert.deepEqual(await maskOf(packed), { runs, height: 80, width: 100 });
  await assert.rejects(maskOf([810, 20]), refuses('bad-file', 'annotation 1: segmentation', '100 x 80'));
  for (const bad of ['Zi', 'Z\u0007', 'O', 'oooooooooo']) {
    await assert.rejects(maskOf(bad), refuses('bad-file', 'annotation 1: segmentation', 'packed'));
  }
});

test('scores are recalls of the photo', async (context) => {
  const benchmark = await opened(context, [annotation(1, 4, 1, [0, 0, 9, 9])], [4]);
  const [query] = benchmark.queries;
  const at = (rank: number) => {
    const gallery = Array.from({ length: 12 }, (_, place) => (place + 1 === rank ? '4' : `other ${place}`));
    return Object.values(benchmark.score(query!, { gallery }));
  };
  assert.deepEqual(benchmark.metrics, ['R@1', 'R@5', 'R@10']);
  assert.deepEqual([1, 2, 5, 6, 10, 11].map(at), [
    [1, 1, 1],
    [0, 1, 1],
    [0, 1, 1],
    [0, 0, 1],
    [0, 0, 1],
    [0, 0, 0],
  ]);
});

test('the file may lie in the folder itself, or all in its folder coco', async (context) => {
  const json = { images: [photo(1)], annotations: [annotation(1, 1, 1, [0, 0, 9, 9])], categories };
  for (const [path, root] of [
    ['.', ''],
    ['coco/annotations', 'coco'],
    ['coco', 'coco'],
  ] as const) {
    const folder = await folderOf(context, json, path);
    const { images } = await cocoComposition.open(folder, { anyVersion: true });
    assert.equal(images[0]?.path, join(folder, root, 'val2017', '1.jpg'));
  }
  const empty = await folderOf(context, json, 'elsewhere');
  await assert.rejects(
    cocoComposition.open(empty, {}),
    refuses('not-found', empty, 'instances_val2017.json'),
  );
});

test('what is not as it should be is refused by name', async (context) => {
  const fits = annotation(1, 1, 1, [0, 0, 9, 9]);
  const open = (annotations: Annotation[], options?: OpenBenchmarkOptions) =>
    opened(context, annotations, [1], options);
  await assert.rejects(open([fits], { anyVersion: false }), refuses('bad-file', '5000 photos', 'found 1'));
  await assert.rejects(open([{ ...fits, image_id: 9 }]), refuses('bad-file', 'annotation 1: image_id'));
  await assert.rejects(open([{ ...fits, category_id: 2 }]), refuses('bad-file', 'annotation 1: category_id'));
  await assert.rejects(open([{ ...fits, bbox: [1, 2, 3] }]), refuses('bad-file', 'annotations: 0: bbox'));
  await assert.rejects(open([]), refuses('bad-file', 'fitting objects'));
  for (const segmentation of [[], [[1, 2, 3]], ['x'], undefined, { counts: [-1], size: [80, 100] }]) {
    await assert.rejects(
      open([{ ...fits, segmentation }]),
      refuses('bad-file', 'annotation 1: segmentation', 'polygons'),
    );
  }
  await assert.rejects(open([fits], { split: 'train2017' }), refuses('bad-argument', 'val2017'));
  await assert.rejects(open([fits], { variant: 'small' }), refuses('bad-argument', 'large-objects'));
  await assert.rejects(open([fits], { only: ['animal'] }), refuses('bad-argument', 'only'));
  const outside = { images: [{ ...photo(1), file_name: '../../1.jpg' }], annotations: [fits], categories };
  await assert.rejects(
    cocoComposition.open(await folderOf(context, outside), { anyVersion: true }),
    refuses('bad-file', 'image 1: file_name'),
  );
});
