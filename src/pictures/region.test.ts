/** Regions: boxes to the pixel, masks of known shapes, and the same out of the reader's threads. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { preprocessImage, readPreprocessing } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import type { RgbImage } from '../pixels/index.ts';
import type { FoundImage } from './files.ts';
import { ImageReader, type ReadImage } from './reader.ts';
import { cutRegion, preprocessRegion, type Region } from './region.ts';

/** Every pixel says where it is: red its column, green its row, blue 7. */
function positions(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at += 1) data.set([at % width, Math.floor(at / width), 7], at * 3);
  return { data, width, height };
}

const box = (left: number, top: number, right: number, bottom: number) => ({ left, top, right, bottom });
const pixel = ({ data, width }: RgbImage, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];
const white = [255, 255, 255];
const black = [0, 0, 0];

/** The mask as rows of `#` inside and `.` outside, seen on an image without white. */
function shape(image: RgbImage): string[] {
  return Array.from({ length: image.height }, (_, y) =>
    Array.from({ length: image.width }, (_, x) => (pixel(image, x, y)[2] === 255 ? '.' : '#')).join(''),
  );
}

function areaOf(polygons: number[][], width: number, height: number): number {
  const region: Region = { box: box(0, 0, width, height), mask: { polygons }, square: 'squash' };
  return [...shape(cutRegion(positions(width, height), region)).join('')].filter((at) => at === '#').length;
}

test('a box is cut at whole pixels, halves to the even one, and ends with the image', () => {
  const cut = (...edges: Parameters<typeof box>) => {
    const result = cutRegion(positions(20, 10), { box: box(...edges), square: 'squash' });
    const last = pixel(result, result.width - 1, result.height - 1);
    return [...pixel(result, 0, 0).slice(0, 2), ...last.slice(0, 2)];
  };
  assert.deepEqual(cut(3, 2, 8, 6), [3, 2, 7, 5]);
  assert.deepEqual(cut(2.5, 3.5, 8.4, 6.6), [2, 4, 7, 6]);
  assert.deepEqual(cut(0.5, 1.5, 4.5, 5.5), [0, 2, 3, 5]);
  assert.deepEqual(cut(-4, -0.6, 99, 10.2), [0, 0, 19, 9]);
});

test('a box without a pixel is refused by the name of the image', () => {
  for (const edges of [box(5, 5, 5.4, 9), box(20, 0, 30, 5), box(8, 2, 3, 6), box(Number.NaN, 0, 5, 5)]) {
    assert.throws(
      () => cutRegion(positions(20, 10), { box: edges, square: 'squash' }, 'cat.jpg'),
      (error) =>
        error instanceof LincirError && error.code === 'bad-file' && /^cat\.jpg: /.test(error.message),
    );
  }
});

test('padding puts a cut in the middle of a black square', () => {
  const wide = cutRegion(positions(20, 10), { box: box(4, 3, 11, 5), square: 'pad' }); // 7 x 2
  assert.deepEqual([wide.width, wide.height], [7, 7]);
  assert.deepEqual(pixel(wide, 0, 1), black);
  assert.deepEqual(pixel(wide, 0, 2), [4, 3, 7]); // the odd row goes below
  assert.deepEqual(pixel(wide, 6, 3), [10, 4, 7]);
  assert.deepEqual(pixel(wide, 6, 4), black);
  const tall = cutRegion(positions(20, 10), { box: box(1, 0, 3, 6), square: 'pad' }); // 2 x 6
  assert.deepEqual([tall.width, tall.height], [6, 6]);
  assert.deepEqual(pixel(tall, 1, 0), black);
  assert.deepEqual(pixel(tall, 2, 0), [1, 0, 7]);
  assert.deepEqual(pixel(tall, 3, 5), [2, 5, 7]);
  assert.deepEqual(pixel(tall, 4, 5), black);
});

test('pixels with their centre in a polygon keep their colours, and others are white', () => {
  const mask = { polygons: [[1, 1, 6, 1, 6, 3.5, 3, 3.5, 3, 5, 1, 5]] };
  const whole = cutRegion(positions(8, 6), { box: box(0, 0, 8, 6), mask, square: 'squash' });
  assert.deepEqual(shape(whole), ['........', '.#####..', '.#####..', '.##.....', '.##.....', '........']);
  assert.deepEqual(pixel(whole, 5, 2), [5, 2, 7]);
  assert.deepEqual(pixel(whole, 6, 2), white);
  const inner = cutRegion(positions(8, 6), { box: box(2, 2, 7, 5), mask, square: 'pad' });
  assert.deepEqual(pixel(inner, 0, 0), black);
  assert.deepEqual(pixel(inner, 0, 1), [2, 2, 7]);
  assert.deepEqual(pixel(inner, 4, 1), white);
});

test('polygons are united, and a polygon that winds around a hole leaves it out', () => {
  const square = (from: number, to: number) => [from, from, to, from, to, to, from, to];
  assert.equal(areaOf([square(2, 12)], 30, 30), 100);
  assert.equal(areaOf([square(2, 12), square(7, 17)], 30, 30), 100 + 100 - 25);
  assert.equal(areaOf([square(2, 12).concat(2, 2, ...square(4, 9), 4, 4)], 30, 30), 100 - 25);
  assert.equal(areaOf([square(-5, 10)], 30, 30), 100);
  assert.equal(areaOf([[3, 3, 9, 9], []], 30, 30), 0);
});

test('areas are those of the shapes', () => {
  const circle = Array.from({ length: 200 }, (_, at) => {
    const angle = (at / 100) * Math.PI;
    return [100.3 + 80.7 * Math.cos(angle), 90.6 + 80.7 * Math.sin(angle)];
  }).flat();
  assert.ok(Math.abs(areaOf([circle], 200, 200) / (Math.PI * 80.7 ** 2) - 1) < 0.003);
  assert.ok(Math.abs(areaOf([[10, 180, 150.5, 20.5, 190, 190]], 200, 200) / 15_057.5 - 1) < 0.005);
});

test('runs go down the columns, the first outside', () => {
  const mask = { runs: [2, 2, 0, 1, 3, 3, 1], height: 4, width: 3 };
  const whole = cutRegion(positions(3, 4), { box: box(0, 0, 3, 4), mask, square: 'squash' });
  assert.deepEqual(shape(whole), ['.##', '..#', '#.#', '#..']);
  const part = cutRegion(positions(3, 4), { box: box(1, 0, 3, 2), mask, square: 'squash' });
  assert.deepEqual(shape(part), ['##', '.#']);
});

test('runs of another size than the image are refused', () => {
  const of = (runs: number[], height: number, width: number) => () =>
    cutRegion(positions(3, 4), { box: box(0, 0, 3, 4), mask: { runs, height, width }, square: 'squash' });
  const refused = { name: 'LincirError', code: 'bad-file' };
  assert.throws(of([12], 3, 4), refused);
  assert.throws(of([6, 5], 4, 3), refused);
  assert.doesNotThrow(of([6, 6], 4, 3));
});

const preprocessing = readPreprocessing({ size: 8, crop_size: 8 }, 'test');

test('squashing resizes all of a cut to the square, padding keeps its proportions', async () => {
  const image = positions(40, 30);
  const edges = box(4, 6, 34, 16); // 30 x 10
  const cut = cutRegion(image, { box: edges, square: 'squash' });
  const squashed = await preprocessRegion(image, { box: edges, square: 'squash' }, preprocessing);
  const both = { ...preprocessing, resize: { height: 8, width: 8 } };
  assert.deepEqual(squashed, await preprocessImage(cut, both));
  assert.notDeepEqual(squashed, await preprocessImage(cut, preprocessing));
  const padded = await preprocessRegion(image, { box: edges, square: 'pad' }, preprocessing, {
    targetPad: 1,
  });
  const square = await preprocessImage(cut, preprocessing, { targetPad: 1 });
  assert.deepEqual(padded, square);
  assert.deepEqual(
    await preprocessRegion(image, { box: edges, square: 'squash' }, preprocessing, { targetPad: 1.25 }),
    squashed,
  );
});

test("the reader's threads cut regions out", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-region-'));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'a.png');
  const { data, width, height } = positions(40, 30);
  await writeFile(
    file,
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
  );
  const { size, mtimeMs: modified } = await stat(file);
  const whole: FoundImage = { path: file, folder, file, size, modified };
  const mask = { polygons: [[5, 5, 30, 8, 20, 25]] };
  const region: Region = { box: box(4.2, 5, 31, 25), mask, square: 'squash' };
  const pictures: FoundImage[] = [
    { ...whole, region },
    whole,
    { ...whole, region: { box: box(50, 0, 60, 9), square: 'pad' } },
  ];
  const reader = new ImageReader({ preprocessing, threads: 1, ahead: 2 });
  const reads: ReadImage[] = [];
  try {
    async function* all() {
      for (const picture of pictures) yield { picture, known: [] };
    }
    for await (const { read } of reader.read(all())) reads.push(read);
  } finally {
    await reader.close();
  }
  const [first, second, third] = reads;
  assert.ok(first && 'pixels' in first && second && 'pixels' in second && third && 'reason' in third);
  assert.deepEqual(first.pixels, await preprocessRegion(file, region, preprocessing));
  assert.deepEqual(second.pixels, await preprocessImage(file, preprocessing));
  assert.equal(first.hash, second.hash);
  assert.match(third.reason, /expected a box among its 40 x 30 pixels/);
});

test('boxes are in the pixels that a file stores, whatever EXIF says', async () => {
  const { data, width, height } = positions(40, 30);
  const stored = sharp(data, { raw: { width, height, channels: 3 } });
  const plain = await stored.clone().png().toBuffer();
  const region: Region = { box: box(4, 5, 31, 25), square: 'squash' };
  const whole = await preprocessImage(plain, preprocessing);
  for (const orientation of [2, 3, 6, 8]) {
    const turned = await stored.clone().withMetadata({ orientation }).png().toBuffer();
    assert.deepEqual(
      await preprocessRegion(turned, region, preprocessing),
      await preprocessRegion(plain, region, preprocessing),
    );
    assert.deepEqual(await preprocessImage(turned, preprocessing, { isStored: true }), whole);
    assert.notDeepEqual(await preprocessImage(turned, preprocessing), whole);
  }
});
