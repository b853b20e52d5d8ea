/** The miniature world's model for tests in browsers, and how alike embeddings are. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadClip } from '../../src/clip/index.ts';
import type { Float32Tensor } from '../../src/core/index.ts';
import { computed } from '../portable/computing.ts';
import type { FilePaths } from './checks.ts';
import type { Engine } from './chromium.ts';

const root = join(import.meta.dirname, '../..');
const images = 'test/fixtures/images';
const names = ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'model.safetensors'];

/** In full, and its phi. */
export const mini: FilePaths = {
  ...Object.fromEntries(names.map((name) => [name, `models/mini/${name}`])),
  phi: 'models/mini/phi.safetensors',
};

/** What Node computes with it. */
export async function computedOnNode(files: FilePaths) {
  const given = Object.entries(files).map(async ([name, path]) => [name, await readFile(join(root, path))]);
  return await computed(Object.fromEntries(await Promise.all(given)));
}

/** Ten pictures and more, decoded by the browser, have the embeddings of those that Node decodes. */
export async function expectNodesEmbeddings(engine: Engine): Promise<void> {
  const paths = (await readdir(join(root, images)))
    .filter((name) => /^(rgb|exif|prog|large|cmyk|pal|anim).*\.(png|jpg|gif|webp)$/.test(name))
    .map((name) => `${images}/${name}`);
  const clip = await loadClip(join(root, 'models/mini'));
  const expected = await clip.encodeImages(paths.map((path) => join(root, path)));
  await clip.dispose();
  const cosine = leastCosine(await engine.ask('images', mini, paths), expected);
  assert.ok(paths.length >= 10 && cosine > 0.999, `${cosine}`);
}

/** Relative to the largest entry. */
export function relativeDifference(found: readonly number[], expected: Float32Array): number {
  assert.equal(found.length, expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.reduce((most, value, at) => Math.max(most, Math.abs(found[at]! - value)), 0) / largest;
}

/** Of rows with the same number. */
export function leastCosine(found: readonly (readonly number[])[], { shape, data }: Float32Tensor): number {
  const width = shape[1]!;
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
    Array.from(a, (value, at) => value * b[at]!).reduce((sum, value) => sum + value, 0);
  const cosines = found.map((a, row) => {
    const b = data.subarray(row * width, (row + 1) * width);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  });
  return Math.min(...cosines);
}
