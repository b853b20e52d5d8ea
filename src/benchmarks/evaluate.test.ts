/** Evaluations of a tiny model on a small benchmark: figures against rankings made one by one, caches, limits, refusals. */

import assert from 'node:assert/strict';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writePicture } from '../../test/pictures.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { compose, type PseudoTokenEncoder } from '../composition/index.ts';
import { normalizeRows } from '../core/index.ts';
import type { Phi } from '../phi/index.ts';
import type { Benchmark } from './benchmark.ts';
import { compareResults } from './compare.ts';
import { type EvaluationProgress, evaluate, rankAll, validationOn } from './evaluate.ts';
import { custom } from './kinds/custom.ts';
import { methodToEvaluate } from './methods.ts';
import { openMethods } from './open-methods.ts';
import { scorePredictions } from './predicted.ts';
import { promptOf, wordingsOf } from './prompts.ts';
import { readResults, writeEvaluation } from './results-file.ts';

const pictures = 40;
const texts = ['is red', 'has a hat', 'costs $5 more', 'is at night'];

let folder: string;
let clip: Clip;
let benchmark: Benchmark;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-evaluate-'));
  clip = await loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
  await mkdir(join(folder, 'images'));
  for (let at = 0; at < pictures; at += 1) await writePicture(join(folder, `images/${at}.png`), at);
  const name = (at: number) => `images/${at % pictures}.png`;
  const lines = Array.from({ length: 60 }, (_, at) => ({
    id: `q${at}`,
    reference: name(at),
    text: at % 4 === 2 ? 'costs 5 more' : texts[at % 4],
    targets: [name(3 * at + 1), name(3 * at + 2)],
    groups: [at % 2 === 0 ? 'even' : 'odd'],
  }));
  await writeFile(join(folder, 'queries.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
  benchmark = await custom.open(folder, {});
});
after(async () => {
  await clip.dispose();
  await rm(folder, { recursive: true });
});

/** A stand-in for phi: the first numbers of an embedding as a pseudo token. */
const phi: PseudoTokenEncoder = {
  info: { l2Normalize: false },
  async encode({ shape, data }) {
    const [rows, size] = shape as [number, number];
    const { width } = clip.textConfig;
    const all = new Float32Array(rows * width);
    for (let at = 0; at < all.length; at += 1)
      all[at] = data[Math.floor(at / width) * size + ((at % width) % size)]!;
    return { shape: [rows, width], data: all };
  },
};
const methods = [
  methodToEvaluate('lincir', { phi }),
  ...(['image', 'text', 'sum', 'slerp'] as const).map((name) => methodToEvaluate(name)),
];

describe('evaluate', () => {
  test('ranks as single searches do, by every method', async () => {
    const { results, rankings } = await evaluate(benchmark, { clip, methods });
    const encoded = await clip.encodeImages(benchmark.images.map(({ path }) => path));
    const size = encoded.shape[1]!;
    const gallery = encoded.data.slice();
    normalizeRows(gallery, size);
    for (const { name, method } of methods) {
      let found = 0;
      for (const query of benchmark.queries) {
        const image = benchmark.images.find(({ id }) => id === query.reference)!.path;
        const { vector } = await compose({
          clip,
          phi,
          images: [image],
          text: query.texts[0]!,
          method,
        });
        const scores = benchmark.images.map(({ id }, row) => ({
          id,
          score: vector.reduce((sum, value, at) => sum + value * gallery[row * size + at]!, 0),
        }));
        const sorted = scores
          .filter(({ id }) => !query.exclude!.includes(id))
          .sort((a, b) => b.score - a.score);
        const ours = rankings.get(name)!.get(query.id)!.gallery!;
        // Where scores are nearly equal, rounding may turn two around.
        for (const [at, id] of ours.entries()) {
          const score = scores.find((one) => one.id === id)!.score;
          assert.ok(Math.abs(score - sorted[at]!.score) < 1e-5, `${name}, ${query.id}, rank ${at + 1}`);
        }
        if (ours.slice(0, 10).some((id) => query.targets!.includes(id))) found += 1;
      }
      const own = results.methods.find((one) => one.name === name)!;
      assert.ok(Math.abs(own.figures['R@10']!.value - found / benchmark.queries.length) < 1e-12);
      const { even, odd } = own.groups;
      const halves = (even!.values['R@10']! + odd!.values['R@10']!) / 2;
      assert.ok(Math.abs(halves - own.figures['R@10']!.value) < 1e-12);
      assert.equal(own.perQuery['R@1']!.length, 60);
    }
    assert.equal(results.methods[0]!.differences, undefined);
    assert.equal(results.limit, null);
  });

  test('keeps embeddings by model and file', async () => {
    const cache = join(folder, 'cache');
    const encoded = async (own: Benchmark) => {
      let done = 0;
      const onProgress = (progress: EvaluationProgress) => {
        if (progress.stage === 'encoding') done = progress.done;
      };
      const { results } = await evaluate(own, { clip, methods, cache, onProgress });
      return { done, figures: results.methods[0]!.figures };
    };
    const first = await encoded(benchmark);
    assert.equal(first.done, pictures);
    assert.deepEqual(await encoded(benchmark), { ...first, done: 0 });
    await writePicture(join(folder, 'images/7.png'), 777);
    assert.equal((await encoded(benchmark)).done, 1);
    await writePicture(join(folder, 'images/7.png'), 7);
    assert.equal((await encoded(benchmark)).done, 1);

    // Other contents of the same size, with the time kept, as `cp -p` and swaps leave them.
    const [one, other] = [join(folder, 'images/1.png'), join(folder, 'images/2.png')];
    const [time, bytes] = [new Date(1_700_000_000_000), [await readFile(one), await readFile(other)]];
    const size = Math.max(...bytes.map(({ length }) => length));
    for (const [path, content] of [[one, bytes[0]!] as const, [other, bytes[1]!] as const]) {
      await writeFile(path, Buffer.concat([content, Buffer.alloc(size - content.length)]));
      await utimes(path, time, time);
    }
    await encoded(benchmark);
    await rename(one, join(folder, 'swapped.png'));
    await rename(other, one);
    await rename(join(folder, 'swapped.png'), other);
    const swapped = await encoded(benchmark);
    assert.equal(swapped.done, 2);
    const fresh = await evaluate(benchmark, { clip, methods });
    assert.deepEqual(swapped.figures, fresh.results.methods[0]!.figures);
    for (const [path, content] of [[one, bytes[0]!] as const, [other, bytes[1]!] as const])
      await writeFile(path, content);
  });

  test('a limit asks queries spread over the benchmark, and says so', async () => {
    const { results } = await evaluate(benchmark, { clip, methods: [methodToEvaluate('image')], limit: 6 });
    assert.equal(results.limit, 6);
    assert.deepEqual(results.queries, ['q0', 'q10', 'q20', 'q30', 'q40', 'q50']);
  });

  test('other prompts are tried, and change something', async () => {
    const wordings = await wordingsOf('all', benchmark.prompt);
    const { results } = await evaluate(benchmark, { clip, methods: methods.slice(0, 2), wordings });
    assert.equal(results.methods[0]!.wordings!.length, wordings.length);
    assert.equal(results.methods[1]!.wordings, undefined);
    const own = promptOf('$ {text}', benchmark.prompt);
    const other = await evaluate(benchmark, { clip, methods: methods.slice(0, 1), prompt: own });
    assert.deepEqual(other.results.methods[0]!.prompt, own);
    assert.throws(() => promptOf('a photo that {text}', benchmark.prompt), { code: 'bad-argument' });
  });

  test('is a validation for training', async () => {
    const validation = validationOn(benchmark);
    const { results } = await evaluate(benchmark, { clip, methods: methods.slice(0, 1) });
    const metrics = await validation.evaluate({ clip, phi: phi as Phi });
    for (const [metric, { value }] of Object.entries(results.methods[0]!.figures)) {
      assert.ok(Math.abs(metrics[metric]! - value) < 1e-12);
    }
    assert.equal(validation.primaryMetric, benchmark.primaryMetric);
  });

  test('results on disk are read again, scored again to the same, and compared', async () => {
    const evaluation = await evaluate(benchmark, { clip, methods });
    const out = join(folder, 'results');
    await writeEvaluation(out, evaluation);
    const read = await readResults(join(out, 'results.json'));
    assert.deepEqual(read, JSON.parse(JSON.stringify(evaluation.results)));
    const scored = await scorePredictions(custom, benchmark, [join(out, 'rankings-sum.jsonl')]);
    const sum = read.methods.find(({ name }) => name === 'sum')!;
    assert.deepEqual(scored.results.methods[0]!.figures, sum.figures);
    const { pairs, queries } = compareResults(read, read);
    assert.equal(queries, 60);
    assert.deepEqual(
      pairs.map(({ a, b }) => [a, b]),
      methods.map(({ name }) => [name, name]),
    );
    assert.equal(pairs[0]!.figures['R@1']!.difference.p, 1);
    const [first] = compareResults(read, scored.results).pairs;
    assert.deepEqual([first!.a, first!.b], ['lincir', 'predictions']);
  });

  test('methods open by name; oti inverts images once', async () => {
    const cache = join(folder, 'words');
    const few = { ...benchmark, queries: benchmark.queries.slice(0, 2) };
    const run = async () => {
      const done: number[] = [];
      const onInversion = (count: number) => done.push(count);
      const [inversion, weights] = [{ steps: 40 }, { sum: 0.3 }];
      const opened = await openMethods(['oti', 'sum'], { clip, cache, onInversion, weights, inversion });
      const rankings = await rankAll(few, { clip, methods: opened.methods });
      await opened.dispose();
      const used = { steps: 40, learningRate: 0.02, weightDecay: 0.01, averageDecay: 0.99 };
      assert.deepEqual(
        opened.methods.map(({ settings }) => settings),
        [{ ...used, prompt: 'a photo of $', seed: 0 }, { weight: 0.3 }],
      );
      return { rankings: rankings.get('oti')!, done };
    };
    const first = await run();
    assert.equal(first.done.at(-1), 2);
    const second = await run();
    assert.deepEqual(second.rankings, first.rankings);
    assert.deepEqual(second.done, [2]);
    assert.ok((await readdir(join(cache, 'words', clip.fingerprint))).length > 0);
    await assert.rejects(openMethods(['searle'], { clip }), {
      code: 'bad-argument',
      message: /`phi.searle: 'FILE'`/,
    });
  });
});

describe('evaluate refuses', () => {
  test('images that are missing or no images, all of them before anything is encoded', async () => {
    const other = join(folder, 'other');
    await mkdir(join(other, 'images'), { recursive: true });
    for (let at = 0; at < 4; at += 1) await writePicture(join(other, `images/${at}.png`), at);
    const line = { reference: 'images/0.png', text: 'x', targets: ['images/1.png'] };
    await writeFile(join(other, 'queries.jsonl'), JSON.stringify(line));
    const own = await custom.open(other, {});
    const problems: string[] = [];
    const options = {
      ...{ clip, methods },
      onProblem: ({ path, reason }: { path: string; reason: string }) => problems.push(`${path}: ${reason}`),
      onProgress: ({ stage }: EvaluationProgress) => assert.notEqual(stage, 'encoding'),
    };
    await unlink(join(other, 'images/2.png'));
    await truncate(join(other, 'images/3.png'), 0);
    await assert.rejects(evaluate(own, options), {
      code: 'bad-file',
      message: /2\.png: nothing there, and 1 more/,
    });
    assert.deepEqual(problems, [
      `${join(other, 'images/2.png')}: nothing there`,
      `${join(other, 'images/3.png')}: an empty file`,
    ]);
    await writePicture(join(other, 'images/2.png'), 2);
    await writeFile(join(other, 'images/3.png'), 'text');
    await assert.rejects(evaluate(own, options), { code: 'bad-file', message: /3\.png: no image/ });
    await writePicture(join(other, 'images/3.png'), 3);
    await truncate(join(other, 'images/3.png'), 900);
    await assert.rejects(evaluate(own, { clip, methods }), { code: 'bad-file', message: /3\.png: / });
  });

  test('secret answers, prompts that are too long, results of other benchmarks', async () => {
    const secret = benchmark.queries.map(({ targets, ...query }) => query);
    await assert.rejects(evaluate({ ...benchmark, queries: secret }, { clip, methods }), {
      code: 'bad-argument',
      message: /secret.*lincir submit/,
    });
    const long = [{ ...benchmark.queries[0]!, texts: ['very '.repeat(100)] }];
    for (const method of [methods[0]!, methodToEvaluate('text')]) {
      const refused = evaluate({ ...benchmark, queries: long }, { clip, methods: [method] });
      await assert.rejects(refused, { code: 'bad-argument', message: /^query q0: / });
    }
    const { results } = await evaluate(benchmark, { clip, methods: [methodToEvaluate('image')] });
    assert.throws(() => compareResults(results, { ...results, preset: 'other' }), { code: 'bad-argument' });
    assert.throws(() => compareResults(results, { ...results, queries: ['none'] }), { code: 'bad-argument' });
  });
});
