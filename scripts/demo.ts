/** `npm run demo`: runs the whole system in the miniature world, offline, from captions to a page of results. */

import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  evaluate,
  evaluationReport,
  methodToEvaluate,
  openBenchmark,
  writeEvaluation,
} from '../src/benchmarks/index.ts';
import { miniWeights } from '../src/benchmarks/portable.ts';
import { resultsTable } from '../src/cli/evaluation/table.ts';
import { type Clip, loadClip } from '../src/clip/index.ts';
import { compose, type Method } from '../src/composition/index.ts';
import { formatCount, formatDuration } from '../src/core/index.ts';
import { writeFileAtomically } from '../src/files/index.ts';
import { type ImageIndex, openIndex } from '../src/indexing/index.ts';
import {
  buildBenchmark,
  type MiniBenchmark,
  miniImages,
  miniRecipe,
  writeMiniBenchmark,
} from '../src/mini/index.ts';
import { loadPhi, type Phi } from '../src/phi/index.ts';
import { trainPhi } from '../src/training/index.ts';
import { type DemoQuery, demoPage } from './demo/page.ts';

const { values: given } = parseArgs({
  options: {
    out: { type: 'string', default: 'demo' },
    steps: { type: 'string', default: `${miniRecipe.steps}` },
    images: { type: 'string', default: '4000' },
    queries: { type: 'string', default: '600' },
    threads: { type: 'string' },
  },
});
const threads = given.threads === undefined ? undefined : Number(given.threads);
const queriesOfKind = 2;
const shown = 6;

const began = performance.now();
const out = resolve(given.out);
await mkdir(out, { recursive: true });
const folder = (name: string) => join(out, name);

const world = buildBenchmark(1, { gallery: Number(given.images), queries: Number(given.queries) });
await stage('drawing the world', async () => {
  await writeMiniBenchmark(folder('world'), world);
  return `${formatCount(world.gallery.length)} images, ${formatCount(world.queries.length)} queries → ${given.out}/world`;
});
await stage('learning phi from captions, without an image', () => train(folder('phi')));
const clip = await loadClip('mini', { threads });
const phi = await loadPhi(folder('phi'), { clip });
const { value: index } = await stage('indexing the images', () => indexed(clip));
const benchmark = await openBenchmark('mini', folder('world'));
const { value: evaluation } = await stage('asking all queries by every method', () =>
  evaluate(benchmark, {
    ...{ clip, cache: folder('cache') },
    methods: [
      methodToEvaluate('lincir', { phi }),
      methodToEvaluate('image'),
      methodToEvaluate('text'),
      methodToEvaluate('sum', { weight: miniWeights.sum }),
      methodToEvaluate('slerp', { weight: miniWeights.slerp }),
    ],
  }),
);
await writeEvaluation(folder('evaluation'), evaluation);
const report = await evaluationReport({ benchmark, ...evaluation, queriesShown: 60 });
await writeFileAtomically(folder('evaluation/report.html'), (file) => file.writeFile(report));
const { methods } = evaluation.results;
const { value: queries } = await stage('searching the index', () => askedOf(world, index, clip, phi));
const page = demoPage({
  queries,
  methods: methods.map(({ name, figures }) => ({
    name,
    figures: Object.fromEntries(Object.entries(figures).map(([metric, { value }]) => [metric, 100 * value])),
  })),
  facts: {
    Images: formatCount(world.gallery.length),
    Queries: formatCount(world.queries.length),
    'phi has read': `${given.steps} batches of ${miniRecipe.batch} captions`,
    "LinCIR's prompt": benchmark.prompt.composed,
    Model: 'mini',
  },
});
await writeFileAtomically(folder('index.html'), (file) => file.writeFile(page));
await index.close();
await phi.dispose();
await clip.dispose();
console.log(`\n${resultsTable(evaluation.results).join('\n')}`);
console.log(`\n${formatDuration((performance.now() - began) / 1000)} in all → ${given.out}/index.html`);

/** Says what is done, and how long it took. */
async function stage<Result>(name: string, work: () => Promise<Result>): Promise<{ value: Result }> {
  const begin = performance.now();
  const value = await work();
  const about = typeof value === 'string' ? `: ${value}` : '';
  console.log(`${formatDuration((performance.now() - begin) / 1000).padStart(7)}  ${name}${about}`);
  return { value };
}

async function train(run: string): Promise<string> {
  await rm(run, { recursive: true, force: true });
  const settings = {
    model: 'mini',
    captions: ['mini:captions'],
    ...miniRecipe,
    steps: Number(given.steps),
    threads,
  };
  let loss = 0;
  const events = trainPhi({ ...settings, out: run });
  for await (const event of events) if (event.kind === 'step') loss = event.loss;
  return `${formatCount(settings.steps)} steps, loss ${loss.toPrecision(3)}`;
}

async function indexed(clip: Clip): Promise<ImageIndex> {
  const uri = folder('index.lance');
  await rm(uri, { recursive: true, force: true });
  const index = await openIndex(uri, { access: 'write', clip });
  for await (const event of index.add(clip, { images: [folder(join('world', miniImages))] })) {
    if (event.kind === 'end' && event.summary.broken > 0) throw new Error('images are broken');
  }
  return index;
}

/** The first queries of each kind, by LinCIR and by the best method without training. */
async function askedOf(
  { gallery, queries }: MiniBenchmark,
  index: ImageIndex,
  clip: Clip,
  phi: Phi,
): Promise<DemoQuery[]> {
  const pictures = new Map(gallery.map((picture) => [picture.id, picture]));
  const fileOf = (id: number) => folder(join('world', miniImages, `${`${id}`.padStart(12, '0')}.png`));
  const byKind = Map.groupBy(queries, ({ kind }) => kind);
  const asked: DemoQuery[] = [];
  for (const query of [...byKind.values()].flatMap((own) => own.slice(0, queriesOfKind))) {
    const { kind, reference, text, targets } = query;
    const found: DemoQuery['found'][number][] = [];
    const { image, hash } = await index.reference(fileOf(reference));
    for (const [method, name] of [
      ['lincir', 'LinCIR'],
      ['sum', 'image + text'],
    ] as [Method, string][]) {
      const weight = method === 'sum' ? miniWeights.sum : undefined;
      const asked = method === 'lincir' ? benchmark.prompt.composed.replace('{text}', text) : text;
      const composed = await compose({ clip, phi, images: [image], text: asked, method, weight });
      const hits = await index.search(composed, { top: shown, exclude: [hash] });
      const ids = hits.map(({ path }) => Number(/(\d+)\.png$/.exec(path)![1]));
      const isRight = (id: number) => targets.includes(id);
      found.push({
        method: name,
        pictures: ids.map((id) => ({ ...pictures.get(id)!, isRight: isRight(id) })),
      });
    }
    asked.push({ kind, reference: pictures.get(reference)!, text, found });
  }
  return asked;
}
