/** Objects cut out of real photos, where COCO's annotations and photos are there. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cocoComposition } from '../../src/benchmarks/kinds/coco-composition.ts';
import { decodeImage } from '../../src/decoding/index.ts';
import { cutRegion } from '../../src/pictures/index.ts';

const data = join(import.meta.dirname, '../../../shared/data');
const annotations = join(data, 'annotations/coco/instances_val2017.json');
const skip = existsSync(annotations) ? false : 'no annotations here';

test('masks of real photos have the areas that the annotations state', { skip }, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-coco-'));
  context.after(() => rm(folder, { recursive: true }));
  await symlink(annotations, join(folder, 'instances_val2017.json'));
  await symlink(join(data, 'photos/coco'), join(folder, 'val2017'));
  const benchmark = await cocoComposition.open(folder, { anyVersion: true, variant: 'large-objects' });
  const stated: { annotations: { id: number; area: number }[] } = JSON.parse(
    await readFile(annotations, 'utf8'),
  );
  const areas = new Map(stated.annotations.map(({ id, area }) => [`${id}`, area]));
  assert.ok(benchmark.queries.length > 50);
  for (const { id, reference, targets } of benchmark.queries.slice(0, 12)) {
    const { path, region } = benchmark.images.find((image) => image.id === reference)!;
    assert.equal(path, benchmark.images.find((image) => image.id === targets![0])!.path);
    const { width, height } = await decodeImage(path, path, 2 ** 24);
    const black = { data: new Uint8Array(width * height * 3), width, height };
    const cut = cutRegion(black, region!);
    const inside = cut.data.filter((value) => value === 0).length / 3;
    assert.ok(Math.abs(inside / areas.get(id)! - 1) < 0.03, `annotation ${id}: ${inside}`);
  }
});
