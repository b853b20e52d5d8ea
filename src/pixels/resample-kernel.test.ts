/** The resampling kernel against the same sums in plain JavaScript, to the bit. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sequence } from '../core/index.ts';
import type { RgbImage } from './image.ts';
import { type AxisPlan, type ResampleFilter, resample } from './resample.ts';

const filters = ['bilinear', 'bicubic'] as const;
const random = sequence({ seed: 1, purpose: 'noise', moment: 0, row: 0 });
/** A whole number from `low` to `high`. */
const between = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));

suite('resample equals plain sums', () => {
  test('whatever the sizes, the padding and the window', () => {
    for (let round = 0; round < 300; round++) {
      const width = between(1, 40);
      const height = between(1, 40);
      compare(noise(width, height), anyPlan(width), anyPlan(height));
    }
  });

  const shapes: Record<string, [width: number, height: number, across: AxisPlan, down: AxisPlan]> = {
    'one pixel, spread': [1, 1, centred(1, 64, 64), centred(1, 64, 64)],
    'to one pixel': [50, 70, centred(50, 1, 1), centred(70, 1, 1)],
    'a photo': [640, 480, centred(640, 298, 224), centred(480, 224, 224)],
    'a wide thread, kept long': [30_000, 1, centred(30_000, 300_000, 8), centred(1, 10, 8)],
    'a wide thread, squeezed': [30_000, 2, centred(30_000, 5, 5), centred(2, 9, 8)],
    'a tall thread, kept long': [1, 30_000, centred(1, 10, 8), centred(30_000, 300_000, 8)],
    'a tall thread, squeezed': [2, 30_000, centred(2, 9, 8), centred(30_000, 5, 5)],
    'a thread on a wide canvas': [3, 900, centred(3, 6, 5, 300), centred(900, 9, 9)],
    'as it is': [31, 17, centred(31, 31, 31), centred(17, 17, 17)],
    'a window past the border': [20, 10, centred(20, 10, 40), centred(10, 5, 40)],
    'a window of the padding alone': [9, 9, centred(9, 100, 10, 60), centred(9, 20, 20)],
    'a window beside the canvas': [9, 9, { ...centred(9, 9, 4), start: -4 }, centred(9, 9, 4)],
    'no window': [9, 9, centred(9, 9, 0), centred(9, 9, 4)],
  };
  for (const [what, [width, height, across, down]] of Object.entries(shapes)) {
    test(what, () => compare(noise(width, height), across, down));
  }

  test('pixels that do not begin their buffer', () => {
    const { data, ...size } = noise(13, 11);
    const bytes = Buffer.concat([Buffer.alloc(7, 255), data, Buffer.alloc(7, 255)]).subarray(7, -7);
    compare({ data: bytes, ...size }, centred(13, 8, 8), centred(11, 7, 6));
  });
});

function compare(image: RgbImage, across: AxisPlan, down: AxisPlan): void {
  for (const filter of filters) {
    const { data, width, height } = resample(image, across, down, filter);
    assert.deepEqual([width, height], [across.length, down.length]);
    const wanted = plain(image, across, down, filter);
    const what = `${image.width} x ${image.height}, ${JSON.stringify({ across, down, filter })}`;
    assert.equal(Buffer.compare(data, wanted), 0, what);
  }
}

function centred(image: number, resized: number, length: number, offset = 0): AxisPlan {
  return { canvas: image + 2 * offset, offset, resized, start: Math.floor((resized - length) / 2), length };
}

function anyPlan(image: number): AxisPlan {
  const offset = between(0, 1) * between(0, 30);
  const resized = between(1, 50);
  return { canvas: image + 2 * offset, offset, resized, start: between(-9, resized), length: between(1, 50) };
}

/** Any bytes, or black and white alone, whose sums overshoot the most. */
function noise(width: number, height: number): RgbImage {
  const contrast = random() < 0.5;
  const data = Uint8Array.from({ length: width * height * 3 }, () =>
    contrast ? 255 * between(0, 1) : between(0, 255),
  );
  return { data, width, height };
}

function plain(image: RgbImage, across: AxisPlan, down: AxisPlan, filter: ResampleFilter): Uint8Array {
  const columns = tapsOf(across, image.width, filter);
  const rows = tapsOf(down, image.height, filter);
  const line = across.length * 3;
  const narrowed = new Uint8ClampedArray(image.height * line); // [image height, window width, 3]
  for (let at = 0; at < narrowed.length; at++) {
    const row = Math.floor(at / line) * image.width * 3;
    const column = Math.floor((at % line) / 3);
    narrowed[at] = weighted(columns[column]!, (pixel) => image.data[row + pixel * 3 + (at % 3)]!);
  }
  const data = new Uint8ClampedArray(down.length * line); // [window height, window width, 3]
  for (let at = 0; at < data.length; at++) {
    data[at] = weighted(rows[Math.floor(at / line)]!, (row) => narrowed[row * line + (at % line)]!);
  }
  return new Uint8Array(data.buffer);
}

function weighted(taps: readonly [pixel: number, weight: number][], value: (pixel: number) => number) {
  let sum = 0.5;
  for (const [pixel, weight] of taps) sum += value(pixel) * weight;
  return Math.floor(sum);
}

/** For every output pixel, its image pixels and their weights, multiples of 2^-22. */
function tapsOf(plan: AxisPlan, imageLength: number, filter: ResampleFilter): [number, number][][] {
  const kernel = filter === 'bicubic' ? cubic : (x: number) => Math.max(0, 1 - Math.abs(x));
  const scale = plan.canvas / plan.resized;
  const stretch = Math.max(1, scale);
  const reach = (filter === 'bicubic' ? 2 : 1) * stretch;
  return Array.from({ length: plan.length }, (_, output) => {
    const position = plan.start + output;
    if (position < 0 || position >= plan.resized) return [];
    const centre = (position + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach + 0.5));
    const high = Math.min(plan.canvas, Math.trunc(centre + reach + 0.5));
    const weights = Array.from({ length: high - low }, (_, tap) =>
      kernel((low + tap - centre + 0.5) * (1 / stretch)),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights
      .map((weight, tap): [number, number] => {
        const share = (weight / total) * 2 ** 22;
        return [low + tap - plan.offset, Math.trunc(share + (share < 0 ? -0.5 : 0.5)) * 2 ** -22];
      })
      .filter(([pixel]) => pixel >= 0 && pixel < imageLength);
  });
}

function cubic(position: number): number {
  const x = Math.abs(position);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}
