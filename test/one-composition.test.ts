/** The same query by `lincir search` and by `lincir eval`: the same vector to the bit, by every method. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { embedImages } from '../src/benchmarks/embed-images.ts';
import { type Benchmark, openBenchmark, openMethods } from '../src/benchmarks/index.ts';
import { composeQueries } from '../src/benchmarks/methods.ts';
import { type Clip, loadClip } from '../src/clip/index.ts';
import { methodNames, methods, phiMethods } from '../src/composition/index.ts';
import { writeSafetensors } from '../src/files/index.ts';
import { openIndex } from '../src/indexing/index.ts';
import { initialPhi, phiArchitectures, phiShape, phiTensors } from '../src/phi/index.ts';
import { Searcher } from '../src/search/index.ts';
import { update, writePicture } from './pictures.ts';

/** Of several lengths: padding the third to the length of the fourth would change its last bits. */
const texts = [
  'red',
  'is at night',
  'has a circle, a square, a star and a moon',
  'has a circle, a square, a star and a moon that are at night on the beach',
];

let folder: string;
let clip: Clip;
let benchmark: Benchmark;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-composition-'));
  clip = await loadClip('mini');
  await mkdir(join(folder, 'images'));
  for (let at = 0; at < 9; at += 1) await writePicture(join(folder, `images/${at}.png`), at);
  const lines = texts.map((text, at) =>
    JSON.stringify({ text, reference: `images/${at}.png`, targets: ['images/8.png'] }),
  );
  await writeFile(join(folder, 'queries.jsonl'), lines.join('\n'));
  benchmark = await openBenchmark('custom', folder);
  await mkdir(join(folder, 'others'));
  await writePicture(join(folder, 'others/other.png'), 100);
  const index = await openIndex(join(folder, 'p.lance'), { access: 'write', clip });
  await update(index, clip, { images: [join(folder, 'others')] });
  await index.close();
  for (const architecture of phiArchitectures) {
    const shape = phiShape(architecture, clip.textConfig);
    const tensors = phiTensors({ shape, l2Normalize: false }, initialPhi(shape, 1));
    await writeSafetensors(join(folder, architecture), ...tensors);
  }
});
after(async () => {
  await clip.dispose();
  await rm(folder, { recursive: true });
});

test('a query has one vector, by search and by eval, alone and among others', async (context) => {
  const cache = join(folder, 'cache');
  const phi = Object.fromEntries(phiMethods.map((name) => [name, join(folder, name)]));
  const opened = await openMethods(methodNames, { clip, phi, cache });
  context.after(() => opened.dispose());
  const searcher = await Searcher.open({ index: join(folder, 'p.lance'), cache });
  context.after(() => searcher.close());
  const pictures = await embedImages(benchmark, clip);
  const { prompt, queries } = benchmark;
  const { dimensions } = pictures;
  assert.deepEqual(
    opened.methods.map(({ method }) => method),
    methodNames,
  );
  for (const asked of opened.methods) {
    const { method } = asked;
    const vectors = await composeQueries(asked, queries, { clip, pictures, prompt });
    for (const [at, { reference, texts }] of queries.entries()) {
      const wording = methods[method].pseudoTokens ? prompt.composed : prompt.text;
      const { query } = await searcher.search({
        ...{ method, phi: phi[method], top: 1, page: 1 },
        images: [benchmark.images.find(({ id }) => id === reference)!.path],
        text: wording.replace('{text}', texts[0]!),
      });
      const expected = vectors.subarray(at * dimensions, (at + 1) * dimensions);
      assert.deepEqual(query.vector, expected, `${method}, "${texts[0]}"`);
    }
  }
});

test('a model that is loaded quickly, as for a single search, rounds otherwise', async (context) => {
  const searcher = await Searcher.open({ index: join(folder, 'p.lance'), prepack: false });
  context.after(() => searcher.close());
  const { query } = await searcher.search({ images: [], text: texts[2], top: 1, page: 1 });
  const { data } = await clip.encodeTexts([texts[2]!], { normalize: true });
  for (const [at, value] of query.vector.entries()) assert.ok(Math.abs(value - data[at]!) < 1e-6);
});
