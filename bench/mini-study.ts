/**
 * The method in the miniature world: phi by several recipes and seeds beside everything that needs no training, whose
 * weights and prompts are chosen on other queries. `node bench/mini-study.ts [--steps 400] [--seeds 3] [--folder DIR]`
 */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Benchmark,
  evaluate,
  type MethodToEvaluate,
  methodToEvaluate,
  openBenchmark,
  openMethods,
  type Prompt,
  promptOf,
} from '../src/benchmarks/index.ts';
import { type Clip, loadClip } from '../src/clip/index.ts';
import { sequence } from '../src/core/index.ts';
import {
  buildBenchmark,
  caption,
  type MiniBenchmark,
  type MiniQuery,
  miniRecipe,
  writeMiniBenchmark,
} from '../src/mini/index.ts';
import { initialPhi, loadPhi, Phi, phiShape } from '../src/phi/index.ts';
import { type TrainingSettingsInput, trainPhi } from '../src/training/index.ts';
import { machine, rounded, saveResult } from './results.ts';

const { values: given } = parseArgs({
  options: {
    steps: { type: 'string', default: `${miniRecipe.steps}` },
    seeds: { type: 'string', default: '3' },
    folder: { type: 'string', default: join(tmpdir(), 'lincir-mini-study') },
    model: { type: 'string', default: 'mini' },
  },
});
const seeds = Array.from({ length: Number(given.seeds) }, (_, seed) => seed);
const recipe = {
  model: given.model,
  captions: ['mini:captions'],
  ...miniRecipe,
  steps: Number(given.steps),
} satisfies TrainingSettingsInput;
const recipes: Record<string, Partial<TrainingSettingsInput>> = {
  'LinCIR (spans)': {},
  'LinCIR (official masking)': { masking: 'official' },
  'LinCIR without noise': { noise: 0 },
};
const phiPrompts = [
  '$ that {text}',
  'a photo of $ that {text}',
  '$ $ that {text}',
  '$ $ $ that {text}',
  '$ $ $ $ that {text}',
];
const textPrompts = ['{text}', 'a photo that {text}', 'a photo of something that {text}'];
const sumWeights = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3];
const slerpWeights = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

const clip = await loadClip(given.model);
const world = buildBenchmark(1, { gallery: 4000, queries: 600 });
const test = await written('test', world);
const other = await written('other', buildBenchmark(2, { gallery: 2000, queries: 300 }));
const cache = join(given.folder, 'cache');

const chosen = await chosenBaselines();
const rows: Record<string, Record<string, number>[]> = {};
for (const { method, prompt } of chosen) rows[method.name] = [await figures(test, method, prompt)];
rows['caption of the answer'] = [await textFigures(({ target }) => described(target))];
rows['caption of the reference that …'] = [
  await textFigures(({ reference, text }) => `${described(reference)} that ${text}`),
];
const prompts: Record<string, string> = {};
await study(
  'untrained phi',
  seeds.map((seed) => () => untrained(clip, seed)),
);
for (const [name, changes] of Object.entries(recipes)) {
  const learnt = async (seed: number) => {
    const out = join(given.folder, `${name} ${seed}`.replaceAll(/\W+/g, '-'));
    const seconds = await train(out, { ...changes, seed });
    console.error(`${name}, seed ${seed}: learnt in ${seconds.toFixed(0)} s`);
    return await loadPhi(out, { clip });
  };
  await study(
    name,
    seeds.map((seed) => () => learnt(seed)),
  );
}
const inverted = await openMethods(['oti'], { clip, cache });
const oti = inverted.methods[0]!;
prompts.OTI = await bestPrompt(oti);
rows.OTI = [await figures(test, oti, promptOf(prompts.OTI, test.prompt))];
console.table(await saved());
await clip.dispose();

async function written(name: string, world: MiniBenchmark): Promise<Benchmark> {
  const folder = join(given.folder, name);
  await writeMiniBenchmark(folder, world);
  return await openBenchmark('mini', folder);
}

async function figures(
  benchmark: Benchmark,
  method: MethodToEvaluate,
  prompt: Prompt = benchmark.prompt,
): Promise<Record<string, number>> {
  const { results } = await evaluate(benchmark, { clip, methods: [method], prompt, cache });
  const all = Object.entries(results.methods[0]!.figures);
  return Object.fromEntries(all.map(([metric, { value }]) => [metric, rounded(value)]));
}

/** Of texts that no user has to give, but that say all: the most that this CLIP, and a word in it, can reach. */
async function textFigures(textOf: (query: MiniQuery) => string): Promise<Record<string, number>> {
  const texts = new Map(world.queries.map((query) => [`${query.id}`, textOf(query)]));
  const queries = test.queries.map((query) => ({ ...query, texts: [texts.get(query.id)!] }));
  return await figures({ ...test, queries }, methodToEvaluate('text'), { ...test.prompt, text: '{text}' });
}

/** A complete caption of an image. */
function described(id: number): string {
  const random = sequence({ seed: 0, purpose: 'scene', moment: 3, row: id });
  return caption(world.gallery[id - 1]!.scene, random, { complete: true, changed: false });
}

/** Each with the weight and the text's prompt that serve it best on queries of another benchmark. */
async function chosenBaselines(): Promise<{ method: MethodToEvaluate; prompt: Prompt }[]> {
  const prompts = textPrompts.map((text) => ({ ...other.prompt, text }));
  const candidates: Record<string, MethodToEvaluate[]> = {
    image: [methodToEvaluate('image')],
    text: [methodToEvaluate('text')],
    sum: sumWeights.map((weight) => methodToEvaluate('sum', { weight })),
    slerp: slerpWeights.map((weight) => methodToEvaluate('slerp', { weight })),
  };
  const best: { method: MethodToEvaluate; prompt: Prompt }[] = [];
  for (const methods of Object.values(candidates)) {
    let found = { score: -1, method: methods[0]!, prompt: prompts[0]! };
    for (const method of methods) {
      for (const prompt of prompts) {
        const score = (await figures(other, method, prompt))['mAP@10']!;
        if (score > found.score) found = { score, method, prompt };
      }
    }
    console.error(`${found.method.name}: ${JSON.stringify(found.method.settings)}, ${found.prompt.text}`);
    best.push(found);
  }
  return best;
}

/** Keeps what is known so far. */
async function saved() {
  const table = Object.entries(rows).map(([method, runs]) => ({ method, ...summary(runs) }));
  const weights = chosen.map(({ method, prompt }) => ({
    method: method.name,
    ...method.settings,
    text: prompt.text,
  }));
  await saveResult('mini-study', {
    machine: machine(),
    recipe,
    seeds,
    chosen: weights,
    prompts,
    rows,
    table,
  });
  return table;
}

/** Figures of each of a recipe's phis, by the prompt that serves the first of them best on the other queries. */
async function study(name: string, phis: readonly (() => Promise<Phi>)[]): Promise<void> {
  rows[name] = [];
  for (const open of phis) {
    const phi = await open();
    const method = methodToEvaluate('lincir', { phi });
    prompts[name] ??= await bestPrompt(method);
    const found = await figures(test, method, promptOf(prompts[name], test.prompt));
    await phi.dispose();
    rows[name].push(found);
    await saved();
    console.error(`${name}, ${prompts[name]}: ${JSON.stringify(found)}`);
  }
}

async function bestPrompt(method: MethodToEvaluate): Promise<string> {
  const scores: number[] = [];
  for (const prompt of phiPrompts) {
    scores.push((await figures(other, method, promptOf(prompt, other.prompt)))['mAP@10']!);
  }
  return phiPrompts[scores.indexOf(Math.max(...scores))]!;
}

async function untrained({ textConfig }: Clip, seed: number): Promise<Phi> {
  const shape = phiShape('lincir', textConfig);
  return await Phi.create({ shape, l2Normalize: false }, initialPhi(shape, seed));
}

async function train(out: string, changes: Partial<TrainingSettingsInput>): Promise<number> {
  const begin = performance.now();
  for await (const event of trainPhi({ ...recipe, ...changes, out })) {
    if (event.kind === 'step' && event.step % 100 === 0) console.error(`step ${event.step}: ${event.loss}`);
  }
  return (performance.now() - begin) / 1000;
}

/** Of several runs, the mean and, where they differ, the least and the greatest. */
function summary(runs: readonly Record<string, number>[]): Record<string, string> {
  return Object.fromEntries(
    Object.keys(runs[0]!).map((metric) => {
      const values = runs.map((run) => 100 * run[metric]!);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const spread = `${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}`;
      return [metric, runs.length > 1 ? `${mean.toFixed(1)} (${spread})` : mean.toFixed(1)];
    }),
  );
}
