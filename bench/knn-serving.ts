/**
 * Text queries by clip-retrieval's protocol: lincir beside clip-retrieval's own service, with the same model and gallery:
 * `node bench/knn-serving.ts MODEL [--rounds 5] [--seconds 8]`. Options of `lincir serve` may follow after `--`.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadClip } from '../src/clip/index.ts';
import { machine, rounded, saveResult } from './results.ts';
import { drawQuestions, galleryImages, makeGallery } from './serving/data.ts';
import type { Ask, Found, LoadReport } from './serving/load.ts';
import { LoadGenerator, ServerProcess } from './serving/processes.ts';
import { median } from './turns.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '8' } },
});
const [model, ...serveOptions] = positionals;
if (model === undefined) {
  throw new Error('usage: node bench/knn-serving.ts MODEL [--rounds 5] [--seconds 8] [-- …]');
}
const [rounds, seconds] = [options.rounds, options.seconds].map(Number) as [number, number];
const clients = 32;
const limit = 20;
const ports = { lincir: 8941, peer: 8942 };

const scratch = await mkdtemp(join(tmpdir(), 'lincir-knn-serving-'));
process.on('exit', () => generator.stop());
const generator = new LoadGenerator();
const clip = await loadClip(model);
const { projection } = clip.visionConfig;
await clip.dispose();
const { index, embeddings, ids } = await makeGallery(model, projection, scratch);
const rowOf = new Map(ids.map((id, row) => [id, row] as const));
const texts = [...new Set(drawQuestions(ids, 400).map(({ text }) => text))];

const { best, tried } = await bestPeer();
const peer = await startPeer(best);
const lincir = await ServerProcess.lincir(
  ['--index', `gallery=${index}`, '--knn-service', ...serveOptions],
  ports.lincir,
);
const servers = { lincir, peer };
const right = await rightAnswers();
const asks = {
  lincir: texts.map((text, at): Ask => ({ body: bodyOf(text), right: right[at]! })),
  peer: texts.map((text, at): Ask => {
    return { body: bodyOf(text), right: right[at]!.map(([id, score]) => [rowOf.get(`${id}`)!, score]) };
  }),
};

const measured: Record<'one' | 'many' | 'peerOne' | 'peerMany', LoadReport>[] = [];
const loads: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  loads.push(loadavg()[0]!);
  const one = await load('lincir', 1);
  const peerOne = await load('peer', 1);
  const many = await load('lincir', clients);
  const peerMany = await load('peer', clients);
  measured.push({ one, many, peerOne, peerMany });
  const rates = [one, many, peerOne, peerMany].map(
    ({ answersPerSecond, wrong, wrongs, failed }) =>
      `${answersPerSecond.toFixed(1)}/s${wrong > 0 ? ` (${wrong} wrong: ${wrongs[0]})` : ''}${JSON.stringify(failed)}`,
  );
  console.error(
    `round ${round + 1}: lincir, its own (1, ${clients} clients): ${rates.join(', ')}; load ${loads.at(-1)}`,
  );
}
await lincir.stop();
await peer.stop();
await rm(scratch, { recursive: true });

const result = {
  answersPerSecond: {
    'lincir, 1 client': rounded(middle(({ one }) => one.answersPerSecond)),
    [`lincir, ${clients} clients`]: rounded(middle(({ many }) => many.answersPerSecond)),
    'clip-retrieval, 1 client': rounded(middle(({ peerOne }) => peerOne.answersPerSecond)),
    [`clip-retrieval, ${clients} clients`]: rounded(middle(({ peerMany }) => peerMany.answersPerSecond)),
  },
  timesAsFast: {
    '1 client': rounded(middle(({ one, peerOne }) => one.answersPerSecond / peerOne.answersPerSecond)),
    [`${clients} clients`]: rounded(
      middle(({ many, peerMany }) => many.answersPerSecond / peerMany.answersPerSecond),
    ),
  },
  p99: {
    [`lincir, ${clients} clients`]: rounded(middle(({ many }) => many.answerTimes.p99)),
    [`clip-retrieval, ${clients} clients`]: rounded(middle(({ peerMany }) => peerMany.answerTimes.p99)),
  },
  /** Of all answers in all rounds. */
  wrong: measured.flatMap((round) => Object.values(round)).reduce((sum, { wrong }) => sum + wrong, 0),
};
console.log(JSON.stringify(result, null, 1));
await saveResult('knn-serving', {
  ...{ machine: machine(), loadBefore: loads.map(rounded), dimensions: projection, images: galleryImages },
  ...{ queries: texts.length, limit, clients, peerThreads: tried, peerBest: best, serveOptions },
  ...result,
  rounds: measured,
});

function bodyOf(text: string, count = limit): string {
  const fields = { modality: 'image', num_images: count, num_result_ids: count, deduplicate: false };
  return JSON.stringify({ text, indice_name: 'gallery', ...fields });
}

function load(server: 'lincir' | 'peer', some: number): Promise<LoadReport> {
  const first = Math.floor(Math.random() * texts.length);
  const url = `${servers[server].origin}/knn-service`;
  return generator.load({ url, asks: asks[server], seconds, warmUpSeconds: 2, first, clients: some });
}

function middle(of: (round: (typeof measured)[number]) => number): number {
  return median(measured.map(of));
}

function startPeer(threads: number): Promise<ServerProcess> {
  const environment = { MODEL: model!, EMBEDDINGS: embeddings, NAMES: join(scratch, 'names.txt') };
  return ServerProcess.clipRetrieval(
    { ...environment, FOLDER: join(scratch, 'clip-retrieval'), THREADS: `${threads}` },
    ports.peer,
  );
}

/** The faster number of PyTorch's threads with all clients. */
async function bestPeer() {
  const tried = [1, 2].map((threads) => ({ threads, answersPerSecond: 0 }));
  for (const setting of tried) {
    const server = await startPeer(setting.threads);
    const plan = { url: `${server.origin}/knn-service`, clients, seconds: 5, warmUpSeconds: 2, first: 0 };
    const asks = texts.map((text): Ask => ({ body: bodyOf(text), right: [] }));
    setting.answersPerSecond = rounded((await generator.load({ ...plan, asks })).answersPerSecond);
    await server.stop();
  }
  const best = tried.reduce((a, b) => (b.answersPerSecond > a.answersPerSecond ? b : a)).threads;
  return { best, tried };
}

/** What clip-retrieval answers when each question is asked alone, with images behind those that are asked for. */
async function rightAnswers(): Promise<Found[][]> {
  const answers: Found[][] = [];
  for (const text of texts) {
    const response = await fetch(`${peer.origin}/knn-service`, {
      method: 'POST',
      body: bodyOf(text, 3 * limit),
    });
    const results = (await response.json()) as { id: number; similarity: number }[];
    answers.push(results.map(({ id, similarity }) => [ids[id]!, similarity]));
  }
  return answers;
}
