/** CIRCO in its authors' formats, from a folder of its own: what it opens as, its scores, its submission. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { uniforms } from '../../core/index.ts';
import type { BenchmarkQuery, Ranking } from '../benchmark.ts';
import { circo } from './circo.ts';

const parent = await mkdtemp(join(tmpdir(), 'lincir-circo-'));
after(() => rm(parent, { recursive: true }));

const picture = (at: number) => 1000 + 7 * at;
const fileName = (id: number) => `${id}.jpg`.padStart(16, '0');

const picturesOf = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    id: picture(at),
    file_name: fileName(picture(at)),
    license: 2,
    height: 480,
  }));

/** Query `at` has `at` targets besides its first. */
const questionsOf = (split: string, count: number) =>
  Array.from({ length: count }, (_, at) => {
    const targets = Array.from({ length: at + 1 }, (_, of) => picture(at + 1 + of));
    return {
      id: at,
      reference_img_id: picture(at),
      relative_caption: `has ${at}`,
      shared_concept: 'an image',
      ...(split === 'val' && {
        target_img_id: targets[0],
        gt_img_ids: targets,
        semantic_aspects: ['addition', `aspect${at}`],
      }),
    };
  });

async function layOut(split: string, questions: unknown, images: unknown): Promise<string> {
  const folder = await mkdtemp(join(parent, 'data-'));
  const unlabeled = join(folder, 'COCO2017_unlabeled/annotations');
  await mkdir(join(folder, 'annotations'));
  await mkdir(unlabeled, { recursive: true });
  await writeFile(join(folder, 'annotations', `${split}.json`), JSON.stringify(questions));
  const info = { info: {}, licenses: [], categories: [], images };
  await writeFile(join(unlabeled, 'image_info_unlabeled2017.json'), JSON.stringify(info));
  return folder;
}

const opened = async (split: string, questions: unknown, images: unknown) =>
  await circo.open(await layOut(split, questions, images), { split, anyVersion: true });

const small = (split: string, queries = 3, pictures = 12) =>
  opened(split, questionsOf(split, queries), picturesOf(pictures));

describe('CIRCO opens', () => {
  test('as its annotations have it', async () => {
    const folder = await layOut('val', questionsOf('val', 3), picturesOf(12));
    const benchmark = await circo.open(folder, { anyVersion: true });
    assert.equal(benchmark.preset, 'circo val, any version');
    assert.deepEqual(benchmark.images[1], {
      id: '1007',
      path: join(folder, 'COCO2017_unlabeled', 'unlabeled2017', '000000001007.jpg'),
    });
    const gallery = picturesOf(12).map(({ id }) => `${id}`);
    assert.deepEqual([...benchmark.galleries], [['all', gallery]]);
    assert.equal(benchmark.queries.length, 3);
    assert.deepEqual(benchmark.queries[1], {
      id: '1',
      reference: '1007',
      texts: ['has 1'],
      gallery: 'all',
      targets: ['1014', '1021'],
      groups: ['addition', 'aspect1'],
    });
    const metrics = ['mAP@5', 'mAP@10', 'mAP@25', 'mAP@50', 'R@5', 'R@10', 'R@25', 'R@50'];
    assert.deepEqual(benchmark.metrics, metrics);
    assert.equal(benchmark.primaryMetric, 'mAP@5');
    assert.equal(benchmark.topK, 50);
  });

  test('without the targets that test keeps secret', async () => {
    const { queries } = await small('test');
    assert.ok(queries.every((query) => !('targets' in query)));
    assert.deepEqual(queries[0]!.groups, []);
  });

  test('only in the published version, unless any will do', async () => {
    await assert.rejects(circo.open(await layOut('val', questionsOf('val', 3), picturesOf(12)), {}), {
      code: 'bad-file',
      message: /annotations.val\.json: expected 220 queries, as published, found 3; .*`anyVersion`/,
    });
    const folder = await layOut('test', questionsOf('test', 800), picturesOf(801));
    await assert.rejects(circo.open(folder, { split: 'test' }), {
      message: /image_info_unlabeled2017\.json: expected 123403 images, as published, found 801/,
    });
  });

  test('no file of the other split, whatever the version', async () => {
    await assert.rejects(opened('val', questionsOf('test', 3), picturesOf(12)), {
      code: 'bad-file',
      message: /val\.json: 0: target_img_id: expected .*, found nothing/,
    });
    await assert.rejects(opened('test', questionsOf('val', 3), picturesOf(12)), {
      message: /test\.json: 0: target_img_id: expected nothing, because test keeps its targets secret, found/,
    });
  });

  test('nothing that contradicts itself, or leaves the folder', async () => {
    const questions = questionsOf('val', 3);
    for (const [change, message] of [
      [{ id: 0 }, /query 0: expected every id once/],
      [{ target_img_id: 1000 }, /query 1: gt_img_ids: expected target_img_id, 1000, among them/],
      [{ gt_img_ids: [] }, /query 1: gt_img_ids: expected target_img_id, 1014, among them/],
      [{ gt_img_ids: [1014, 1021, 1014] }, /query 1: expected every target once, found "1014 twice"/],
      [{ gt_img_ids: [1014, 1015] }, /query 1: expected targets among the images .*, found "1015"/],
      [{ gt_img_ids: [1014, '1021'] }, /val\.json: 1: gt_img_ids: 1: expected/],
      [{ reference_img_id: 5 }, /query 1: expected a reference among the images, found "5"/],
    ] as const) {
      const changed = opened(
        'val',
        questions.with(1, Object.assign({}, questions[1], change)),
        picturesOf(12),
      );
      await assert.rejects(changed, { code: 'bad-file', message });
    }
    const pictures = picturesOf(12);
    await assert.rejects(
      opened('val', questions, [...pictures, pictures[3]]),
      /images: expected every id once/,
    );
    const leaving = pictures.with(3, { ...pictures[3]!, file_name: '../../x.jpg' });
    await assert.rejects(opened('val', questions, leaving), {
      message: /image_info_unlabeled2017\.json: image 1021: expected a path within the folder/,
    });
  });

  test('no split, variant or part that it lacks', async () => {
    for (const options of [{ split: 'train' }, { variant: 'x' }, { only: ['x'] }]) {
      await assert.rejects(circo.open(parent, options), { code: 'bad-argument' });
    }
  });
});

/** AP@k by its definition: the mean, over all hits there could be, of the precision where each stands. */
function reference(targets: readonly string[], gallery: readonly string[]): Record<string, number> {
  const scores: Record<string, number> = {};
  for (const k of [5, 10, 25, 50]) {
    let sum = 0;
    for (let position = 1; position <= Math.min(k, gallery.length); position += 1) {
      if (!targets.includes(gallery[position - 1]!)) continue;
      const soFar = gallery.slice(0, position);
      sum += targets.filter((target) => soFar.includes(target)).length / position;
    }
    scores[`mAP@${k}`] = sum / (targets.length < k ? targets.length : k);
    scores[`R@${k}`] = gallery.slice(0, k).includes(targets[0]!) ? 1 : 0;
  }
  return scores;
}

describe('CIRCO scores', () => {
  test('as its definition does', async () => {
    const benchmark = await small('val', 30, 70);
    const ids = benchmark.galleries.get('all')!;
    for (const query of benchmark.queries) {
      for (let row = 0; row < 20; row += 1) {
        const draws = uniforms({ seed: 1, purpose: 'choice', moment: Number(query.id), row }, ids.length + 1);
        // Targets are drawn to the front, in some rows all of them, so that there are hits to score.
        const drawn = (at: number) => draws[at]! - (query.targets!.includes(ids[at]!) ? row / 20 : 0);
        const order = [...ids.keys()].toSorted((a, b) => drawn(a) - drawn(b));
        const gallery = order.map((at) => ids[at]!).slice(0, Math.floor(draws.at(-1)! * 60));
        const scores = benchmark.score(query, { gallery });
        const expected = reference(query.targets!, gallery);
        assert.deepEqual(Object.keys(scores), benchmark.metrics);
        for (const metric of benchmark.metrics) {
          assert.ok(Math.abs(scores[metric]! - expected[metric]!) < 1e-12, `${metric} of ${gallery}`);
        }
      }
    }
  });

  test('by hand, at the edges', async () => {
    const { score, queries, metrics } = await small('val', 8, 70);
    const [one, three, eight] = [queries[0]!, queries[2]!, queries[7]!];
    const zeros = Object.fromEntries(metrics.map((metric) => [metric, 0]));
    assert.deepEqual(score(three, {}), zeros);
    assert.deepEqual(score(three, { gallery: [] }), zeros);
    assert.deepEqual(score(three, { gallery: [three.reference, ...one.targets!] }), zeros);
    const ones = Object.fromEntries(metrics.map((metric) => [metric, 1]));
    assert.deepEqual(score(eight, { gallery: eight.targets! }), ones);
    // 1/2 and 2/4 of three targets; the single one is not there.
    const [, second, third] = three.targets!;
    const some = score(three, { gallery: ['1000', second!, '1007', third!] });
    assert.equal(some['mAP@5'], (1 / 2 + 2 / 4) / 3);
    assert.equal(some['R@50'], 0);
    // Behind the last rank that counts.
    const late = [...Array.from({ length: 50 }, (_, at) => `${picture(at + 15)}`), one.targets![0]!];
    assert.deepEqual(score(one, { gallery: late }), zeros);
    assert.equal(score(one, { gallery: late.slice(1) })['mAP@50'], 1 / 50);
  });

  test('recall by the single target, wherever the others name it', async () => {
    const [question] = questionsOf('val', 1);
    const gt_img_ids = [picture(3), picture(5), picture(4)];
    const target_img_id = picture(5);
    const { queries, score } = await opened(
      'val',
      [{ ...question, target_img_id, gt_img_ids }],
      picturesOf(12),
    );
    assert.deepEqual(queries[0]!.targets!.toSorted(), gt_img_ids.map(String).toSorted());
    assert.equal(score(queries[0]!, { gallery: [`${picture(3)}`] })['R@5'], 0);
    assert.equal(score(queries[0]!, { gallery: [`${picture(5)}`] })['R@5'], 1);
  });
});

describe('CIRCO’s submission', () => {
  const { write, read, files } = circo.predictions!;
  const rankingsOf = (queries: readonly BenchmarkQuery[], ids: readonly string[]) =>
    new Map<string, Ranking>(queries.map(({ id }) => [id, { gallery: ids.toReversed() }]));

  test('is one file of whole numbers, which reads as what was written', async () => {
    assert.deepEqual(files, { '': 'gallery' });
    for (const [pictures, count] of [
      [60, 50],
      [12, 12],
    ] as const) {
      const benchmark = await small('test', 3, pictures);
      const ids = benchmark.galleries.get('all')!;
      const json = JSON.parse(JSON.stringify(write('', benchmark, rankingsOf(benchmark.queries, ids))));
      assert.deepEqual(Object.keys(json), ['0', '1', '2']);
      const best = ids.toReversed().slice(0, count);
      assert.deepEqual(json['1'], best.map(Number));
      assert.deepEqual([...read(json, benchmark, 'x')][1], ['1', { gallery: best }]);
    }
  });

  test('is refused where the server would refuse or misread it', async () => {
    const benchmark = await small('val', 3, 60);
    const rankings = rankingsOf(benchmark.queries, benchmark.galleries.get('all')!);
    const json = Object(write('', benchmark, rankings));
    const list: readonly unknown[] = json['1'];
    for (const [changed, message] of [
      [null, /p\.json: expected an object/],
      [{ ...json, 1: undefined }, /p\.json: query 1: expected a list of ids, found none/],
      [{ ...json, 1: 1007 }, /query 1: expected a list of ids, found "1007"/],
      [{ ...json, 3: list }, /query "3": expected a query of circo val, any version, found none/],
      [{ ...json, 1: list.slice(1) }, /query 1: expected 50 ids, found 49/],
      [{ ...json, 1: [...list, 1000] }, /query 1: expected 50 ids, found 51/],
      [{ ...json, 1: list.with(7, '1007') }, /query 1: expected ids that are integers, found/],
      [{ ...json, 1: list.with(7, 1007.5) }, /query 1: expected ids that are integers, found "1007.5"/],
      [{ ...json, 1: list.with(7, null) }, /query 1: expected ids that are integers, found "null"/],
      [{ ...json, 1: list.with(7, list[0]) }, /query 1: expected every id once, found "1413" twice/],
      [{ ...json, 1: list.with(7, 999) }, /query 1: expected images of gallery all, found "999"/],
    ] as const) {
      assert.throws(() => read(changed, benchmark, 'p.json'), { code: 'bad-file', message });
    }
    // The gallery keeps references: they may be predicted.
    assert.ok(read({ ...json, 1: list.with(7, 1007) }, benchmark, 'p.json'));
  });

  test('is not written of rankings that lack something', async () => {
    const benchmark = await small('test', 3, 60);
    const rankings = rankingsOf(benchmark.queries, benchmark.galleries.get('all')!.slice(20));
    assert.throws(
      () => write('', benchmark, rankings),
      /circo test, any version: query 0: expected 50 ids, found 40/,
    );
  });
});
