/** A look ahead: what it says of a model of known speed, when it says nothing, and what an update gives it to look at. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { place, update, writePicture } from '../../test/pictures.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { forecast, takeSample, type WorkAhead } from './forecast.ts';
import { openIndex } from './image-index.ts';

let clip: Clip;
let folder: string;
before(async () => {
  clip = await loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
  folder = await mkdtemp(join(tmpdir(), 'lincir-forecast-'));
});
after(async () => {
  await clip.dispose();
  await rm(folder, { recursive: true });
});

/** The tower takes 0.1 s for a run, and 0.1 s for each image; nothing else takes any time. */
function slowed(context: TestContext): number[] {
  let clock = 0;
  const runs: number[] = [];
  const { channels, imageSize } = clip.visionConfig;
  context.mock.method(performance, 'now', () => clock);
  context.mock.method(clip, 'encodePixels', async (pixels: Float32Array) => {
    const images = pixels.length / (channels * imageSize ** 2);
    runs.push(images);
    clock += 100 + 100 * images;
    return { shape: [images, 24], data: new Float32Array(images * 24) };
  });
  return runs;
}

const ahead = (todo: number, sample: readonly string[] = []): WorkAhead => ({
  ...{ todo, sample, precision: 'float32' },
});

test('time is that of full runs; the index has vectors and facts', async (context) => {
  const runs = slowed(context);
  const expected = await forecast(clip, ahead(1000));
  // Four images in 0.5 s.
  assert.deepEqual(runs, [1, 2, 4]);
  assert.ok(Math.abs(expected!.seconds - 1000 * (0.5 / 4)) < 1e-6);
  assert.equal(expected!.images, 1000);
  assert.equal(expected!.indexBytes, 1000 * (24 * 4 + 400));
  assert.ok(expected!.memoryBytes > process.memoryUsage.rss());
  const half = await forecast(clip, { ...ahead(1000), precision: 'float16' });
  assert.equal(half!.indexBytes, 1000 * (24 * 2 + 400));
});

test('little work gets no look, or the shortest', async (context) => {
  const runs = slowed(context);
  assert.equal(await forecast(clip, ahead(19)), undefined);
  assert.deepEqual(runs, []);
  assert.equal(await forecast(clip, ahead(49)), undefined);
  assert.deepEqual(runs, [1]);
});

test('broken images of the sample do not count', async (context) => {
  const runs = slowed(context);
  await writeFile(join(folder, 'broken.png'), 'no image');
  await writePicture(join(folder, 'whole.png'), 1);
  const found = ['broken.png', 'gone.png', 'whole.png'].map((name) => join(folder, name));
  const expected = await forecast(clip, ahead(1000, found));
  assert.ok(Math.abs(expected!.seconds - 1000 * (0.5 / 4)) < 1e-6);
  assert.equal(runs.length, 3);
});

test('an update gives it new images, once, before any is encoded', async () => {
  const { photos, uri } = await place(folder, 30);
  const index = await openIndex(uri, { access: 'write', clip });
  const told: WorkAhead[] = [];
  const onFound = async (model: Clip, given: WorkAhead) => {
    assert.equal(model, clip);
    assert.equal((await index.statistics()).images, told.length === 0 ? 0 : 30);
    told.push(given);
  };
  await update(index, clip, { images: [photos], onFound });
  await writePicture(join(photos, 'new.png'), 99);
  await update(index, clip, { images: [photos], onFound });
  await index.close();
  assert.deepEqual(
    told.map(({ todo, sample, precision }) => [todo, sample.length, precision]),
    [
      [30, 6, 'float32'],
      [1, 1, 'float32'],
    ],
  );
  assert.match(told[1]!.sample[0]!, /new\.png$/);
});

test('a sample is spread over all, and small', () => {
  const sample: string[] = [];
  for (let at = 0; at < 100_000; at += 1) takeSample(sample, `${at}`, at);
  const places = sample.map(Number).sort((a, b) => a - b);
  assert.equal(places.length, 6);
  assert.ok(places[0]! < 50_000 && places.at(-1)! > 50_000, `${places}`);
});
