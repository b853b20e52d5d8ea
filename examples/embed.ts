/** Embeds images and texts, and compares them: `node --conditions=lincir-source examples/embed.ts`. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadClip } from 'lincir';

// This CLIP has all its parts, but is tiny and has random weights, so it is small enough to ship. Its numbers show that
// everything works, not what the images mean. For that, load a real one: `await loadClip('large')`.
const model = join(import.meta.dirname, '../test/fixtures/tiny-clip');
const folder = join(import.meta.dirname, 'pictures');

const names = (await readdir(folder)).sort();
const texts = ['a white sailboat by day', 'a house with a red roof', 'a black cat'];

const clip = await loadClip(model);
const pictures = await clip.encodeImages(
  names.map((name) => join(folder, name)),
  { normalize: true },
);
const captions = await clip.encodeTexts(texts, { normalize: true });
await clip.dispose();

const [count, dimensions] = pictures.shape as [number, number];
console.log(`${count} images and ${texts.length} texts, ${dimensions} numbers each. Cosine similarities:\n`);
console.log(' '.repeat(26), ...texts.map((text) => text.padStart(24)));
for (const [row, name] of names.entries()) {
  const picture = pictures.data.subarray(row * dimensions, (row + 1) * dimensions);
  const cosines = texts.map((_, column) => dot(picture, captions.data.subarray(column * dimensions)));
  console.log(name.padEnd(26), ...cosines.map((cosine) => cosine.toFixed(3).padStart(24)));
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}
