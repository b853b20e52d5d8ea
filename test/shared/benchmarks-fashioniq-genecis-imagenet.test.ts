/** FashionIQ, GeneCIS and ImageNet domain conversion, opened from their published annotations: what they count. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Benchmark } from '../../src/benchmarks/benchmark.ts';
import { fashioniq } from '../../src/benchmarks/kinds/fashioniq.ts';
import { genecis } from '../../src/benchmarks/kinds/genecis.ts';
import { imagenetDomains } from '../../src/benchmarks/kinds/imagenet-domains.ts';

const annotations = join(import.meta.dirname, '../../../shared/data/annotations');

describe('published annotations', { skip: !existsSync(annotations) }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lincir-published-'));
  });
  after(() => rm(folder, { recursive: true }));
  const link = async (from: string, to: string): Promise<void> => {
    await mkdir(dirname(join(folder, to)), { recursive: true });
    await symlink(join(annotations, from), join(folder, to));
  };
  const inGroup = ({ queries }: Benchmark, group: string) =>
    queries.filter(({ groups }) => groups.includes(group));

  test('fashioniq', async () => {
    for (const category of fashioniq.parts) {
      await link(`fashioniq/cap.${category}.val.json`, `captions/cap.${category}.val.json`);
      await link(`fashioniq/split.${category}.val.json`, `image_splits/split.${category}.val.json`);
    }
    const benchmark = await fashioniq.open(folder, {});
    assert.deepEqual(
      fashioniq.parts.map((part) => [inGroup(benchmark, part).length, benchmark.galleries.get(part)!.length]),
      [
        [2017, 3817],
        [2038, 6346],
        [1961, 5373],
      ],
    );
    // 121 images are both shirts and tops.
    assert.equal(benchmark.images.length, 3817 + 6346 + 5373 - 121);
    const half = benchmark.queries.filter(({ texts }) => texts.some((text) => text.startsWith(' and ')));
    assert.deepEqual(
      half.map(({ id }) => id),
      ['shirt/1928', 'toptee/676', 'toptee/1076'],
    );
    const rankings = new Map(
      benchmark.queries.map(({ id, gallery }) => [
        id,
        { gallery: benchmark.galleries.get(gallery!)!.slice(0, 50) },
      ]),
    );
    const read = fashioniq.parts.flatMap((part) => {
      const json = fashioniq.predictions!.write(part, benchmark, rankings);
      return [...fashioniq.predictions!.read(json, benchmark, part)];
    });
    assert.deepEqual(new Map(read), rankings);
  });

  test('genecis, the tasks of objects', async () => {
    const only = ['focus_object', 'change_object'];
    for (const task of only) await link(`genecis/${task}.json`, `genecis/${task}.json`);
    const benchmark = await genecis.open(folder, { only });
    for (const task of only) assert.equal(inGroup(benchmark, task).length, 1960);
    assert.ok(benchmark.queries.every(({ candidates }) => candidates?.length === 15));
    const repeated = benchmark.queries.filter(({ candidates }) => candidates?.some((id) => id.includes('#')));
    assert.deepEqual(
      repeated.map(({ id }) => id),
      ['change_object/19'],
    );
  });

  test('imagenet-domains', async () => {
    for (const list of ['imgnet_real_query.txt', 'imgnet_targets.txt']) {
      await link(`pic2word/${list}`, `imgnet/${list}`);
    }
    const benchmark = await imagenetDomains.open(folder, {});
    assert.equal(benchmark.queries.length, 40_000);
    assert.equal(benchmark.galleries.get('all')!.length, 16_983);
    assert.equal(benchmark.images.length, 16_983);
    const without = imagenetDomains.parts.map(
      (domain) => inGroup(benchmark, domain).filter(({ targets }) => targets!.length === 0).length,
    );
    assert.deepEqual(without, [2350, 4700, 2800, 2900]);
    const right = imagenetDomains.parts.map(
      (domain) => new Set(inGroup(benchmark, domain).flatMap(({ targets }) => targets!)).size,
    );
    assert.deepEqual(right, [3726, 550, 1511, 1196]);
  });
});
