/** CIRR and CIRCO open from their published annotations, with the counts of their protocols, where these are there. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { circo } from '../../src/benchmarks/kinds/circo.ts';
import { cirr } from '../../src/benchmarks/kinds/cirr.ts';

const annotations = join(import.meta.dirname, '../../../shared/data/annotations');
const skip = existsSync(annotations) ? false : 'no annotations here';
const folder = await mkdtemp(join(tmpdir(), 'lincir-published-'));
after(() => rm(folder, { recursive: true }));

for (const { split, queries, images } of [
  { split: 'val', queries: 4181, images: 2297 },
  { split: 'test1', queries: 4148, images: 2315 },
]) {
  test(`CIRR ${split}`, { skip }, async () => {
    for (const [inner, file] of [
      ['captions', `cap.rc2.${split}.json`],
      ['image_splits', `split.rc2.${split}.json`],
    ] as const) {
      await cp(join(annotations, 'cirr', file), join(folder, 'cirr', inner, file));
    }
    const benchmark = await cirr.open(folder, { split });
    assert.equal(benchmark.queries.length, queries);
    assert.equal(benchmark.images.length, images);
    assert.ok(benchmark.queries.every(({ candidates }) => candidates?.length === 5));
    const targets = benchmark.queries.filter((query) => query.targets?.length === 1);
    assert.equal(targets.length, split === 'val' ? queries : 0);
    // As many names as the server wants: the gallery is larger.
    const rankings = new Map(
      benchmark.queries.map(({ id, reference, candidates }) => {
        const gallery = benchmark.galleries.get('all')!.filter((name) => name !== reference);
        return [id, { gallery, candidates: candidates! }];
      }),
    );
    for (const [file, count] of [
      ['recall', 50],
      ['recall_subset', 3],
    ] as const) {
      const lists = Object.values(Object(cirr.predictions!.write(file, benchmark, rankings))).filter(
        Array.isArray,
      );
      assert.equal(lists.length, queries);
      assert.ok(lists.every((list) => list.length === count));
    }
  });
}

/** The published list of images is not there: one as long that has all images which queries name. */
async function writePictures(): Promise<void> {
  const named = ['val', 'test'].flatMap((split) => {
    const text = readFileSync(join(annotations, 'circo', `${split}.json`), 'utf8');
    const questions: { reference_img_id: number; gt_img_ids?: number[] }[] = JSON.parse(text);
    return questions.flatMap(({ reference_img_id, gt_img_ids = [] }) => [reference_img_id, ...gt_img_ids]);
  });
  const ids = new Set(named);
  for (let id = 1_000_000; ids.size < 123_403; id += 1) ids.add(id);
  const images = [...ids].map((id) => ({ id, file_name: `${String(id).padStart(12, '0')}.jpg` }));
  const inner = join(folder, 'COCO2017_unlabeled/annotations');
  await mkdir(inner, { recursive: true });
  await writeFile(join(inner, 'image_info_unlabeled2017.json'), JSON.stringify({ images }));
}

test('CIRCO', { skip }, async () => {
  await cp(join(annotations, 'circo'), join(folder, 'annotations'), { recursive: true });
  await writePictures();
  const val = await circo.open(folder, { split: 'val' });
  assert.equal(val.queries.length, 220);
  assert.equal(val.images.length, 123_403);
  assert.ok(val.queries.every(({ targets, groups }) => targets!.length > 0 && groups.length > 0));
  assert.equal(new Set(val.queries.flatMap(({ groups }) => groups)).size, 9);
  const first = val.queries[0]!;
  assert.deepEqual([first.reference, first.targets], ['271520', ['355099', '528417', '534704']]);

  const secret = await circo.open(folder, { split: 'test' });
  assert.equal(secret.queries.length, 800);
  assert.ok(secret.queries.every((query) => query.targets === undefined));
});
