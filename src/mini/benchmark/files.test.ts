/** The written benchmark is one of CIRCO's and one of CIRR's at once, and scored as these are. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { openBenchmark } from '../../benchmarks/index.ts';
import { sequence } from '../../core/index.ts';
import { madeMiniCaptions, miniCaptions } from '../grammar/captions.ts';
import { shuffled } from '../world/scene.ts';
import { buildBenchmark } from './benchmark.ts';
import { miniImages, writeMiniBenchmark } from './files.ts';

const world = buildBenchmark(3, { gallery: 200, queries: 20 });
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-mini-'));
  await writeMiniBenchmark(folder, world);
});
after(() => rm(folder, { recursive: true }));

test('has all images, and both kinds of annotations', async () => {
  const names = await readdir(join(folder, miniImages));
  assert.equal(names.length, 200);
  const { width, height, channels } = await sharp(join(folder, miniImages, names[0]!)).metadata();
  assert.deepEqual([width, height, channels], [64, 64, 3]);
  const options = { anyVersion: true };
  const circo = await openBenchmark('circo', folder, options);
  const cirr = await openBenchmark('cirr', folder, options);
  assert.deepEqual(
    circo.queries.map(({ id, texts, groups }) => [id, texts, groups]),
    world.queries.map(({ id, text, kind }) => [`${id}`, [text], [kind]]),
  );
  assert.deepEqual(
    cirr.queries.map(({ id, candidates }) => [id, candidates!.length]),
    world.queries.map(({ id }) => [`${id}`, 5]),
  );
  await assert.rejects(openBenchmark('cirr', folder), { code: 'bad-file' });
});

test('mini scores precision as CIRCO does and recall as CIRR does', async () => {
  const options = { anyVersion: true };
  const own = await openBenchmark('mini', folder);
  const circo = await openBenchmark('circo', folder, options);
  const cirr = await openBenchmark('cirr', folder, options);
  const random = sequence({ seed: 0, purpose: 'choice', moment: 0, row: 0 });
  for (const [at, query] of own.queries.entries()) {
    const order = shuffled([...own.images.keys()], random);
    const ids = (benchmark: typeof own) => order.map((row) => benchmark.images[row]!.id);
    const candidates = shuffled(query.candidates!, random);
    const found = own.score(query, { gallery: ids(own), candidates });
    const byCirco = circo.score(circo.queries[at]!, { gallery: ids(circo) });
    const gallery = ids(cirr).filter((id) => id !== query.reference);
    const byCirr = cirr.score(cirr.queries[at]!, { gallery, candidates });
    assert.deepEqual(Object.keys(found), own.metrics);
    for (const metric of own.metrics) {
      assert.equal(found[metric], (metric.startsWith('mAP') ? byCirco : byCirr)[metric], metric);
    }
  }
});

test('mini refuses images and queries that only one of the two kinds has', async () => {
  const changes: readonly (readonly [string, (json: object[]) => unknown, RegExp])[] = [
    ['annotations/val.json', (queries) => queries.slice(1), /queries to be the same/],
    ['cirr/captions/cap.rc2.val.json', (queries) => queries.slice(1), /queries to be the same/],
    ['cirr/image_splits/split.rc2.val.json', (paths) => ({ ...paths, more: './more.png' }), /200 and 201/],
  ];
  for (const [file, change, message] of changes) {
    const path = join(folder, file);
    const text = await readFile(path, 'utf8');
    await writeFile(path, JSON.stringify(change(JSON.parse(text))));
    await assert.rejects(openBenchmark('mini', folder), { code: 'bad-file', message });
    await writeFile(path, text);
  }
});

test('captions come by name, without an image, and are the same each time', async () => {
  const captions = (count: number, seed: number) => Array.fromAsync(miniCaptions(count, seed));
  const { value: first } = await madeMiniCaptions.captions()[Symbol.asyncIterator]().next();
  assert.equal(first, (await captions(1, 0))[0]);
  assert.equal(new Set(await captions(500, 0)).size > 490, true);
  assert.notDeepEqual(await captions(3, 0), await captions(3, 1));
});
