/** CIRR in its authors' formats, from a folder of its own: what it opens as, its scores, its submissions. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { sequence } from '../../core/index.ts';
import type { Ranking } from '../benchmark.ts';
import { cirr } from './cirr.ts';

const parent = await mkdtemp(join(tmpdir(), 'lincir-cirr-'));
after(() => rm(parent, { recursive: true }));

const nameOf = (split: string, at: number) => `${split === 'val' ? 'dev' : split}-${at}-0-img0`;

function pairsOf(split: string, count: number) {
  return Array.from({ length: count }, (_, at) => ({
    pairid: 100 + at,
    reference: nameOf(split, at),
    ...(split === 'val' && { target_hard: nameOf(split, at + 1), target_soft: { [nameOf(split, 0)]: -1 } }),
    caption: `make it ${at}`,
    img_set: { id: at, members: [2, 1, 3, 0, 4, 5].map((offset) => nameOf(split, at + offset)) },
  }));
}

function pathsOf(split: string, count: number): Record<string, string> {
  const names = Array.from({ length: count }, (_, at) => nameOf(split, at));
  return Object.fromEntries(names.map((name) => [name, `./${split === 'val' ? 'dev' : split}/${name}.png`]));
}

/** A folder with a split's two files. */
async function layOut(split: string, pairs: unknown, paths: unknown): Promise<string> {
  const folder = await mkdtemp(join(parent, 'data-'));
  await mkdir(join(folder, 'cirr/captions'), { recursive: true });
  await mkdir(join(folder, 'cirr/image_splits'));
  await writeFile(join(folder, `cirr/captions/cap.rc2.${split}.json`), JSON.stringify(pairs));
  await writeFile(join(folder, `cirr/image_splits/split.rc2.${split}.json`), JSON.stringify(paths));
  return folder;
}

const opened = async (split: string, pairs: unknown, paths: unknown) =>
  await cirr.open(await layOut(split, pairs, paths), { split, anyVersion: true });

const small = (split: string, queries = 3, pictures = 9) =>
  opened(split, pairsOf(split, queries), pathsOf(split, pictures));

describe('CIRR opens', () => {
  test('as its annotations have it', async () => {
    const folder = await layOut('val', pairsOf('val', 3), pathsOf('val', 9));
    const benchmark = await cirr.open(folder, { anyVersion: true });
    assert.equal(benchmark.preset, 'cirr val, any version');
    assert.equal(benchmark.images.length, 9);
    assert.deepEqual(benchmark.images[4], {
      id: 'dev-4-0-img0',
      path: join(folder, 'dev', 'dev-4-0-img0.png'),
    });
    const gallery = benchmark.images.map(({ id }) => id);
    assert.deepEqual([...benchmark.galleries], [['all', gallery]]);
    assert.equal(benchmark.queries.length, 3);
    assert.deepEqual(benchmark.queries[1], {
      id: '101',
      reference: 'dev-1-0-img0',
      texts: ['make it 1'],
      gallery: 'all',
      exclude: ['dev-1-0-img0'],
      candidates: [3, 2, 4, 5, 6].map((at) => `dev-${at}-0-img0`),
      targets: ['dev-2-0-img0'],
      groups: [],
    });
    const metrics = ['R@1', 'R@5', 'R@10', 'R@50', 'subset R@1', 'subset R@2', 'subset R@3'];
    assert.deepEqual(benchmark.metrics, metrics);
    assert.equal(benchmark.primaryMetric, 'R@1');
    assert.equal(benchmark.topK, 50);
  });

  test('with images in img_raw, as its authors ship them', async () => {
    const folder = await layOut('test1', pairsOf('test1', 2), pathsOf('test1', 8));
    await mkdir(join(folder, 'img_raw'));
    const { images, queries } = await cirr.open(folder, { split: 'test1', anyVersion: true });
    assert.equal(images[0]!.path, join(folder, 'img_raw', 'test1', 'test1-0-0-img0.png'));
    assert.ok(queries.every((query) => !('targets' in query)));
  });

  test('only in the published version, unless any will do', async () => {
    const few = await layOut('val', pairsOf('val', 3), pathsOf('val', 9));
    await assert.rejects(cirr.open(few, {}), {
      code: 'bad-file',
      message: /cap\.rc2\.val\.json: expected 4181 queries, as published, found 3; .*`anyVersion`/,
    });
    const pair = pairsOf('val', 1)[0]!;
    const pairs = Array.from({ length: 4181 }, (_, pairid) => ({ ...pair, pairid }));
    const pictures = await layOut('val', pairs, pathsOf('val', 2296));
    await assert.rejects(cirr.open(pictures, {}), {
      message: /split\.rc2\.val\.json: expected 2297 images, as published, found 2296/,
    });
    const published = await layOut('val', pairs, pathsOf('val', 2297));
    assert.equal((await cirr.open(published, {})).queries.length, 4181);
  });

  test('no files of another split, whatever the version', async () => {
    await assert.rejects(opened('val', pairsOf('test1', 3), pathsOf('val', 9)), {
      code: 'bad-file',
      message: /cap\.rc2\.val\.json: 0: target_hard: expected string.*, found nothing/,
    });
    await assert.rejects(opened('test1', pairsOf('val', 3), pathsOf('test1', 9)), {
      message:
        /cap\.rc2\.test1\.json: 0: target_hard: expected nothing, because test1 keeps its targets secret, found/,
    });
    await assert.rejects(opened('val', pairsOf('val', 3), pathsOf('test1', 9)), {
      message: /query 100: expected a reference among the images, found "dev-0-0-img0"/,
    });
    await assert.rejects(cirr.open(await layOut('val', [], {}), { split: 'test1' }), { code: 'not-found' });
  });

  test('nothing that contradicts itself, or leaves the folder', async () => {
    const pairs = pairsOf('val', 3);
    const paths = pathsOf('val', 9);
    const changed = (change: object) => opened('val', pairs.with(1, { ...pairs[1]!, ...change }), paths);
    const members = pairs[1]!.img_set.members;
    const without = (name: string) => ({ img_set: { members: members.filter((member) => member !== name) } });
    for (const [change, message] of [
      [{ pairid: 100 }, /query 100: expected every id once/],
      [{ pairid: '101' }, /val\.json: 1: pairid: expected/],
      [{ target_hard: 'dev-1-0-img0' }, /query 101: expected targets among the images that are ranked/],
      [without('dev-1-0-img0'), /query 101: img_set: expected "dev-1-0-img0" among its members/],
      [without('dev-2-0-img0'), /query 101: img_set: expected "dev-2-0-img0" among its members/],
      [{ img_set: { members: [...members, 'dev-77-0-img0'] } }, /query 101: expected candidates among/],
      [{ img_set: { members: [...members, members[0]] } }, /query 101: expected every candidate once/],
    ] as const) {
      await assert.rejects(changed(change), { code: 'bad-file', message });
    }
    await assert.rejects(opened('val', pairs, { ...paths, 'dev-3-0-img0': '../../etc/passwd' }), {
      code: 'bad-file',
      message: /split\.rc2\.val\.json: dev-3-0-img0: expected a path within the folder/,
    });
  });

  test('no split, variant or part that it lacks', async () => {
    for (const options of [{ split: 'train' }, { variant: 'x' }, { only: ['x'] }]) {
      await assert.rejects(cirr.open(parent, options), { code: 'bad-argument' });
    }
  });
});

test('CIRR scores as counting by hand does', async () => {
  const benchmark = await small('val', 4, 70);
  const query = benchmark.queries[0]!;
  const target = query.targets![0]!;
  const others = benchmark.galleries.get('all')!.filter((id) => id !== target && id !== query.reference);
  const rivals = query.candidates!.filter((id) => id !== target);
  const random = sequence({ seed: 3, purpose: 'choice', moment: 0, row: 0 });
  for (let at = 0; at < 200; at += 1) {
    // Positions from 0; at or behind the list's end the target is missing.
    const place = Math.floor(random() * 68);
    const subsetPlace = Math.floor(random() * 7);
    const insert = (ids: readonly string[], to: number) =>
      to < ids.length ? ids.toSpliced(to, 0, target) : ids;
    const ranking = {
      gallery: insert(others, place).slice(0, Math.floor(random() * 60)),
      candidates: insert(rivals, subsetPlace),
    };
    const found = ranking.gallery.lastIndexOf(target);
    const among = ranking.candidates.lastIndexOf(target);
    const within = (position: number, rank: number) => Number(position !== -1 && position <= rank - 1);
    assert.deepEqual(benchmark.score(query, ranking), {
      'R@1': within(found, 1),
      'R@5': within(found, 5),
      'R@10': within(found, 10),
      'R@50': within(found, 50),
      'subset R@1': within(among, 1),
      'subset R@2': within(among, 2),
      'subset R@3': within(among, 3),
    });
  }
  const nothing = benchmark.metrics.map((metric) => [metric, 0]);
  assert.deepEqual(benchmark.score(query, { gallery: [], candidates: [] }), Object.fromEntries(nothing));
  assert.deepEqual(benchmark.score(query, { gallery: [], candidates: [] }), Object.fromEntries(nothing));
});

describe('CIRR’s submissions', () => {
  const { write, read, files } = cirr.predictions!;

  const rankingsOf = ({ queries, galleries }: Awaited<ReturnType<typeof small>>) =>
    new Map<string, Ranking>(
      queries.map(({ id, reference, candidates }) => {
        const gallery = galleries.get('all')!.filter((name) => name !== reference);
        return [id, { gallery: gallery.toReversed(), candidates: candidates! }];
      }),
    );

  test('are two files, which read as what was written', async () => {
    assert.deepEqual(files, { recall: 'gallery', recall_subset: 'candidates' });
    // Ranked are 59 images, of which 50 count, then all 8.
    for (const [pictures, count] of [
      [60, 50],
      [9, 8],
    ] as const) {
      const benchmark = await small('test1', 3, pictures);
      const rankings = rankingsOf(benchmark);
      const recall = JSON.parse(JSON.stringify(write('recall', benchmark, rankings)));
      const first = rankings.get('102')!;
      assert.deepEqual(Object.keys(recall).toSorted(), ['100', '101', '102', 'metric', 'version']);
      assert.deepEqual([recall.version, recall.metric], ['rc2', 'recall']);
      assert.deepEqual(recall['102'], first.gallery!.slice(0, count));
      const subset = JSON.parse(JSON.stringify(write('recall_subset', benchmark, rankings)));
      assert.deepEqual([subset.version, subset.metric], ['rc2', 'recall_subset']);
      assert.deepEqual(subset['102'], first.candidates!.slice(0, 3));
      assert.deepEqual(read(recall, benchmark, 'x').get('102'), { gallery: recall['102'] });
      const rows = ['100', '101', '102'].map((id) => [id, { candidates: subset[id] }]);
      assert.deepEqual([...read(subset, benchmark, 'x')], rows);
    }
  });

  test('are refused where the server would refuse or misread them', async () => {
    const benchmark = await small('val', 3, 60);
    const rankings = rankingsOf(benchmark);
    const recall = Object(write('recall', benchmark, rankings));
    const subset = Object(write('recall_subset', benchmark, rankings));
    const list: readonly string[] = recall['101'];
    for (const [json, message] of [
      [[], /p\.json: expected an object/],
      [{ ...recall, version: 'rc1' }, /p\.json: version: expected rc2, found "rc1"/],
      [{ ...recall, version: undefined }, /p\.json: version: expected rc2, found nothing/],
      [{ ...recall, metric: 'R' }, /p\.json: metric: expected recall or recall_subset, found "R"/],
      [{ ...recall, metric: 'recall_subset' }, /query 100: expected 3 ids, found 50/],
      [{ ...recall, 101: undefined }, /p\.json: query 101: expected a list of ids, found none/],
      [{ ...recall, 103: list }, /query "103": expected a query of cirr val, any version, found none/],
      [{ ...recall, 101: list.slice(1) }, /query 101: expected 50 ids, found 49/],
      [{ ...recall, 101: [...list, 'dev-0-0-img0'] }, /query 101: expected 50 ids, found 51/],
      [{ ...recall, 101: list.with(0, list[1]!) }, /query 101: expected every id once, found "dev-58-/],
      [{ ...recall, 101: list.with(0, 'dev-60-0-img0') }, /query 101: expected images of gallery all/],
      [{ ...recall, 101: list.with(0, 'dev-1-0-img0') }, /query 101: .*leaves out, found "dev-1-0-img0"/],
      [{ ...subset, 101: subset['101'].slice(1) }, /query 101: expected 3 ids, found 2/],
      [{ ...subset, 101: subset['101'].with(0, 'dev-1-0-img0') }, /query 101: .*of its candidates/],
      [{ ...subset, 101: subset['101'].with(0, 'dev-50-0-img0') }, /query 101: .*of its candidates/],
    ] as const) {
      assert.throws(() => read(json, benchmark, 'p.json'), { code: 'bad-file', message });
    }
  });

  test('are not written of rankings that lack something', async () => {
    const benchmark = await small('test1', 3, 60);
    const rankings = rankingsOf(benchmark);
    const short = new Map(rankings).set('101', { gallery: [] });
    for (const [file, found] of [
      ['recall', /cirr test1, any version: recall: query 101: expected 50 ids, found 0/],
      ['recall_subset', /cirr test1, any version: recall_subset: query 101: expected 3 ids, found 0/],
    ] as const) {
      assert.throws(() => write(file, benchmark, short), found);
    }
    rankings.delete('102');
    assert.throws(
      () => write('recall', benchmark, rankings),
      /query 102: expected a list of ids, found none/,
    );
    assert.throws(() => write('precision', benchmark, rankings), { code: 'bad-argument' });
  });
});
