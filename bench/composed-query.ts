/**
 * Composed queries with everything loaded, from an image's file to its 50 nearest of 10,000, against PyTorch:
 * `node bench/composed-query.ts MODEL PHI PICTURE… [ROUNDS]`. Every round asks once with each image.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadClip, preprocessImage } from '../src/clip/index.ts';
import { compose, defaultPrompt } from '../src/composition/index.ts';
import { writeSafetensors } from '../src/files/index.ts';
import { openIndex } from '../src/indexing/index.ts';
import { loadPhi } from '../src/phi/index.ts';
import { backendOf } from '../src/store/index.ts';
import { clusteredVectors, idOf, picturesOf } from './clustered-vectors.ts';
import { machine, rounded, saveResult } from './results.ts';
import { Peer, speedup, takeTurns, timed } from './turns.ts';

/** Of each stage, and of the whole query. */
type Milliseconds = Readonly<Record<string, number>>;

interface Answer {
  readonly milliseconds: Milliseconds;
  /** The composed query, [dimensions]. */
  readonly vector: readonly number[];
  /** Rows of the gallery, the nearest first. */
  readonly places: readonly number[];
}

const given = process.argv.slice(2);
const rounds = /^\d+$/.test(given.at(-1) ?? '') ? Number(given.pop()) : 7;
const [model, phiFile, ...pictures] = given;
if (model === undefined || phiFile === undefined || pictures.length === 0) {
  throw new Error('usage: node bench/composed-query.ts MODEL PHI PICTURE… [ROUNDS]');
}
const threads = 2;
const text = 'is red';
const top = 50;
const count = 10_000;

const clip = await loadClip(model, { threads });
const phi = await loadPhi(phiFile, { clip, threads });
const { width } = clip.textConfig;
const dimensions = clip.visionConfig.projection;
const scratch = await mkdtemp(join(tmpdir(), 'lincir-bench-'));
const source = await clusteredVectors(dimensions);
const vectors = await source.draw(1, 0, count); // [count, dimensions]
await source.dispose();
const store = await indexOf(vectors);
const rowOf = new Map(Array.from({ length: count }, (_, row) => [idOf(row), row] as const));
const gallery = join(scratch, 'gallery.safetensors');
await writeSafetensors(gallery, [
  { name: 'vectors', type: 'float32', shape: [count, dimensions], data: vectors },
]);

const options = [
  ...['--model', model, '--phi', phiFile, '--gallery', gallery, '--prompt', defaultPrompt(text)],
  ...['--top', `${top}`, '--threads', `${threads}`, '--pictures', ...pictures],
];
const peers = {
  'torch, 77 positions, sdpa': await startPeer('--pad'),
  'torch, 77 positions, eager': await startPeer('--pad', '--attention', 'eager'),
  "torch, the text's positions, sdpa": await startPeer(),
  "torch, the text's positions, eager": await startPeer('--attention', 'eager'),
};
/** Of every side's queries, those of rounds that do not count included. */
const queries = new Map<string, Milliseconds[]>();
const times = await takeTurns<string>(
  {
    lincir: () => timed(async () => keep('lincir', (await ourAnswers()).map(millisecondsOf))),
    'parts of lincir': () => timed(async () => keep('parts of lincir', await ourParts())),
    ...Object.fromEntries(
      Object.entries(peers).map(([side, peer]) => [
        side,
        async () => {
          const { seconds, answers } = await ask(peer);
          keep(side, answers.map(millisecondsOf));
          return seconds;
        },
      ]),
    ),
  },
  rounds,
  2,
);
const ours = await ourAnswers();
const theirs = new Map<string, Awaited<ReturnType<typeof ask>>>();
for (const [side, peer] of Object.entries(peers)) theirs.set(side, await ask(peer));
await Promise.all(Object.values(peers).map((peer) => peer.stop()));
await store.close();
await phi.dispose();
await clip.dispose();
await rm(scratch, { recursive: true });

const result = {
  milliseconds: Object.fromEntries([...queries].map(([side, all]) => [side, summary(all)])),
  timesAsFastAsTorch: ofEach((side) => rounded(speedup(times.lincir!, times[side]!))),
  agreement: ofEach((_, { answers }) => agreement(ours, answers)),
};
console.log(JSON.stringify(result, null, 1));
for (const [side, { leastCosine }] of Object.entries(result.agreement)) {
  if (!(leastCosine > 0.9999)) throw new Error(`${side} composes other vectors: cosine ${leastCosine}`);
}
const { torch, processor } = [...theirs.values()][0]!;
await saveResult(`composed-query-${width}`, {
  machine: machine(),
  ...{ torch, processor, threads, width, dimensions, pictures: pictures.length, vectors: count, top },
  ...result,
  seconds: times,
});

function startPeer(...settings: string[]): Promise<Peer> {
  return Peer.start('composed_query.py', [...options, ...settings]);
}

async function ask(peer: Peer) {
  return (await peer.run()) as Awaited<ReturnType<Peer['run']>> & { answers: Answer[]; processor: string };
}

function ofEach<T>(work: (side: string, answer: Awaited<ReturnType<typeof ask>>) => T): Record<string, T> {
  return Object.fromEntries([...theirs].map(([side, answer]) => [side, work(side, answer)]));
}

function keep(side: string, more: readonly Milliseconds[]): void {
  queries.set(side, [...(queries.get(side) ?? []), ...more]);
}

function millisecondsOf({ milliseconds }: Answer): Milliseconds {
  return milliseconds;
}

async function ourAnswers(): Promise<Answer[]> {
  const all: Answer[] = [];
  for (const picture of pictures) {
    const begin = performance.now();
    const { vector, timings } = await compose({ clip, phi, images: [picture], text });
    const composed = performance.now();
    const hits = await store.search({ vector, limit: top });
    const end = performance.now();
    const milliseconds = { ...timings, search: end - composed, query: end - begin };
    all.push({ milliseconds, vector: [...vector], places: hits.map(({ id }) => rowOf.get(id)!) });
  }
  return all;
}

/** What `compose` does with an image, in its two halves. */
async function ourParts(): Promise<Milliseconds[]> {
  const all: Milliseconds[] = [];
  for (const picture of pictures) {
    const begin = performance.now();
    const pixels = await preprocessImage(picture, clip.preprocessing);
    const prepared = performance.now();
    await clip.encodePixels(pixels);
    all.push({ preprocessing: prepared - begin, vision: performance.now() - prepared });
  }
  return all;
}

/** Of the rounds that count. */
function summary(all: readonly Milliseconds[]) {
  const counted = all.slice(-rounds * pictures.length);
  const percentiles = (stage: string) => {
    const sorted = counted.map((milliseconds) => milliseconds[stage]!).sort((a, b) => a - b);
    const at = (part: number) => rounded(sorted[Math.ceil(part * sorted.length) - 1]!);
    return { p50: at(0.5), p95: at(0.95) };
  };
  return Object.fromEntries(Object.keys(all[0]!).map((stage) => [stage, percentiles(stage)]));
}

function agreement(ours: readonly Answer[], others: readonly Answer[]) {
  const pairs = ours.map((a, query) => [a, others[query]!] as const);
  const cosines = pairs.map(([a, b]) => a.vector.reduce((sum, value, at) => sum + value * b.vector[at]!, 0));
  const differences = pairs.flatMap(([a, b]) => a.vector.map((value, at) => Math.abs(value - b.vector[at]!)));
  const shared = pairs.flatMap(([a, b]) => a.places.filter((place) => b.places.includes(place)));
  return {
    leastCosine: Math.min(...cosines),
    largestDifference: rounded(Math.max(...differences)),
    /** Part of the exact nearest that the approximate index finds. */
    sharedHits: rounded(shared.length / (top * pairs.length)),
  };
}

/** An index of these vectors as `lincir index` leaves it, open for searching. */
async function indexOf(vectors: Float32Array) {
  const uri = join(scratch, 'index.lance');
  await (await openIndex(uri, { access: 'write', clip })).close(); // of this model
  const { backend, location } = await backendOf(uri);
  const writer = await backend.open(location, 'write');
  await writer.add(picturesOf(vectors, 0, dimensions));
  await writer.maintain();
  await writer.close();
  return await backend.open(location, 'read');
}
