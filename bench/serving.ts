/**
 * Composed queries by id over HTTP: by one client and by 32, against a plain server in FastAPI and PyTorch, and under ten
 * times more load than a server can take: `node bench/serving.ts MODEL PHI [--rounds 5] [--seconds 8] [--overload 60]`.
 * Options of `lincir serve` may follow after `--`.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadClip } from '../src/clip/index.ts';
import { defaultPrompt } from '../src/composition/index.ts';
import { machine, rounded, saveResult } from './results.ts';
import { drawQuestions, galleryImages, makeGallery } from './serving/data.ts';
import type { Ask, Found, LoadPlan } from './serving/load.ts';
import { measureOverload } from './serving/overload.ts';
import { LoadGenerator, ServerProcess } from './serving/processes.ts';
import { median } from './turns.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '8' },
    overload: { type: 'string', default: '60' },
  },
});
const [model, phi, ...serveOptions] = positionals;
if (model === undefined || phi === undefined) {
  throw new Error('usage: node bench/serving.ts MODEL PHI [--rounds 5] [--seconds 8] [--overload 60] [-- …]');
}
const [rounds, seconds, overloadSeconds] = [options.rounds, options.seconds, options.overload].map(
  Number,
) as [number, number, number];
const clients = 32;
const limit = 20;
const questionCount = 400;
const ports = { lincir: 8911, torch: 8912 };
/** How one may run the server in PyTorch: uvicorn's processes, and PyTorch's threads in each. */
const settings = [
  { workers: 1, threads: 2 },
  { workers: 1, threads: 1 },
  { workers: 2, threads: 1 },
];

const scratch = await mkdtemp(join(tmpdir(), 'lincir-serving-'));
const generator = new LoadGenerator();
const clip = await loadClip(model);
const { projection } = clip.visionConfig;
await clip.dispose();
const { index, embeddings, ids } = await makeGallery(model, projection, scratch);
const questions = drawQuestions(ids, questionCount);

const { best, tried } = await bestTorch();
const torch = await startTorch(best);
const right = await rightAnswers(torch.origin);
const asks = {
  lincir: questions.map(({ id, text }, at): Ask => {
    return { body: JSON.stringify({ images: [{ id }], text, limit }), right: right[at]! };
  }),
  torch: torchAsks(right),
};
const lincir = await ServerProcess.lincir(['--index', index, '--phi', phi, ...serveOptions], ports.lincir);
const servers = { lincir, torch };
const urls = { lincir: `${lincir.origin}/api/v1/search`, torch: `${torch.origin}/search` };

type Measured = Awaited<ReturnType<typeof load>>;
const measured: Record<'one' | 'many' | 'half' | 'torchOne' | 'torchMany', Measured>[] = [];
const loads: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  loads.push(loadavg()[0]!);
  const one = await load('lincir', { clients: 1 });
  const many = await load('lincir', { clients });
  const torchOne = await load('torch', { clients: 1 });
  const torchMany = await load('torch', { clients });
  const half = await load('lincir', { rate: many.answersPerSecond / 2 });
  measured.push({ one, many, half, torchOne, torchMany });
  console.error(
    `round ${round + 1}: lincir ${summary(one)} → ${summary(many)}; half: p50 ${half.answerTimes.p50}, p99 ` +
      `${half.answerTimes.p99} ms; torch ${summary(torchOne)} → ${summary(torchMany)}; load ${loads.at(-1)}`,
  );
}
await torch.stop();
const saturating = middle(({ many }) => many.answersPerSecond);
const overload =
  overloadSeconds > 0
    ? await measureOverload({
        server: lincir,
        generator,
        ...{ url: urls.lincir, asks: asks.lincir, clients, seconds: overloadSeconds, rate: 10 * saturating },
      })
    : undefined;
await lincir.stop();
generator.stop();
await rm(scratch, { recursive: true });

const result = {
  answersPerSecond: {
    'lincir, 1 client': rounded(middle(({ one }) => one.answersPerSecond)),
    [`lincir, ${clients} clients`]: rounded(saturating),
    'torch, 1 client': rounded(middle(({ torchOne }) => torchOne.answersPerSecond)),
    [`torch, ${clients} clients`]: rounded(middle(({ torchMany }) => torchMany.answersPerSecond)),
  },
  processorMillisecondsOfAnAnswer: {
    'lincir, 1 client': rounded(middle(({ one }) => one.processorMilliseconds)),
    [`lincir, ${clients} clients`]: rounded(middle(({ many }) => many.processorMilliseconds)),
    'torch, 1 client': rounded(middle(({ torchOne }) => torchOne.processorMilliseconds)),
    [`torch, ${clients} clients`]: rounded(middle(({ torchMany }) => torchMany.processorMilliseconds)),
    ratio: rounded(
      middle(({ torchMany, many }) => torchMany.processorMilliseconds / many.processorMilliseconds),
    ),
  },
  timesAsFastAsOneClient: rounded(middle(({ one, many }) => many.answersPerSecond / one.answersPerSecond)),
  timesAsFastAsTorch: rounded(
    middle(({ torchMany, many }) => many.answersPerSecond / torchMany.answersPerSecond),
  ),
  halfLoad: {
    p50: rounded(middle(({ half }) => half.answerTimes.p50)),
    p99: rounded(middle(({ half }) => half.answerTimes.p99)),
    ratio: rounded(middle(({ half }) => half.answerTimes.p99 / half.answerTimes.p50)),
  },
  /** Of all answers in all rounds. */
  wrong: measured.flatMap((round) => Object.values(round)).reduce((sum, { wrong }) => sum + wrong, 0),
  overload,
};
console.log(JSON.stringify(result, null, 1));
await saveResult('serving', {
  ...{ machine: machine(), loadBefore: loads.map(rounded), dimensions: projection, images: galleryImages },
  ...{ queries: questionCount, limit, clients, torchSettings: tried, torchBest: best, serveOptions },
  ...result,
  rounds: measured,
});

/** With the processor time of an answer, in milliseconds. */
async function load(server: 'lincir' | 'torch', how: Pick<LoadPlan, 'clients' | 'rate'>) {
  const first = Math.floor(Math.random() * questionCount);
  const plan = { url: urls[server], asks: asks[server], seconds, warmUpSeconds: 0, first, ...how };
  await generator.load({ ...plan, seconds: 2 });
  const before = servers[server].processorSeconds();
  const report = await generator.load(plan);
  const used = servers[server].processorSeconds() - before;
  return { ...report, processorMilliseconds: (1000 * used) / report.answered };
}

function summary({ answersPerSecond, processorMilliseconds, wrong, wrongs, failed }: Measured): string {
  const faults =
    wrong > 0 || Object.keys(failed).length > 0
      ? ` (${wrong} wrong: ${wrongs[0]}; ${JSON.stringify(failed)})`
      : '';
  return `${answersPerSecond.toFixed(1)}/s (${processorMilliseconds.toFixed(1)} ms of a core each)${faults}`;
}

function middle(of: (round: (typeof measured)[number]) => number): number {
  return median(measured.map(of));
}

function startTorch({ workers, threads }: (typeof settings)[number]): Promise<ServerProcess> {
  const environment = { MODEL: model!, PHI: phi!, EMBEDDINGS: embeddings, THREADS: `${threads}` };
  return ServerProcess.fastApi(environment, workers, ports.torch);
}

/** The fastest of the settings with all clients, of two short turns. */
async function bestTorch() {
  const tried = settings.map((setting) => ({ ...setting, answersPerSecond: 0 }));
  for (let turn = 0; turn < 2; turn += 1) {
    for (const setting of tried) {
      const server = await startTorch(setting);
      const plan = {
        url: `${server.origin}/search`,
        asks: torchAsks(),
        clients,
        seconds: 5,
        warmUpSeconds: 2,
      };
      const { answersPerSecond } = await generator.load({ ...plan, first: 0 });
      setting.answersPerSecond = Math.max(setting.answersPerSecond, rounded(answersPerSecond));
      await server.stop();
    }
  }
  const best = tried.reduce((a, b) => (b.answersPerSecond > a.answersPerSecond ? b : a));
  return { best, tried };
}

function torchAsks(right?: readonly (readonly Found[])[]): Ask[] {
  const rowOf = new Map(ids.map((id, row) => [id, row] as const));
  return questions.map(({ row, text }, at): Ask => {
    const body = JSON.stringify({ row, prompt: defaultPrompt(text), limit });
    return { body, right: (right?.[at] ?? []).map(([id, score]) => [rowOf.get(`${id}`)!, score]) };
  });
}

/** What PyTorch answers when each question is asked alone, with images behind those that are asked for. */
async function rightAnswers(origin: string): Promise<Found[][]> {
  const answers: Found[][] = [];
  for (const { row, text } of questions) {
    const body = JSON.stringify({ row, prompt: defaultPrompt(text), limit: 3 * limit });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${origin}/search`, { method: 'POST', headers, body });
    const { images } = (await response.json()) as { images: { row: number; score: number }[] };
    answers.push(images.map(({ row, score }) => [ids[row]!, score]));
  }
  return answers;
}
