/** A thread that runs models: composes queries, and embeds texts and images, in batches. */

import { workerData } from 'node:worker_threads';
import { type Clip, loadClip, precisionOf } from '../clip/index.ts';
import { composeAll, methods, promptBeginning } from '../composition/index.ts';
import { type Float32Tensor, LincirError } from '../core/index.ts';
import { loadPhi, type Phi } from '../phi/index.ts';
import type {
  ComposeJob,
  InferenceAnswer,
  InferenceNews,
  InferenceQuestion,
  InferenceSettings,
  Job,
  JobResult,
  ModelToRun,
} from './inference.ts';
import type { Outcome } from './lane.ts';
import { sentError } from './thread-errors.ts';
import { serveThread } from './thread-loop.ts';

/** A loaded model, and the phis that were used with it. */
interface Loaded {
  readonly name: string;
  readonly clip: Clip;
  /** The towers that are ready. */
  readonly towers: Set<'text' | 'vision'>;
  readonly phis: Map<string, Phi>;
}

const settings: InferenceSettings = workerData;
/** By fingerprint: indexes of the same model share it. */
const models = new Map<string, Loaded>();
/** Milliseconds of loading in this batch. */
let loading = 0;

const tell = serveThread<InferenceQuestion, InferenceAnswer, InferenceNews>({
  atOnce: 1,
  answer: async (question) => {
    if ('jobs' in question) return { answer: await runAll(question.jobs) };
    for (const model of question.unload) await unload(model);
    return { answer: { outcomes: [], milliseconds: 0 } };
  },
  dispose: async () => {
    for (const fingerprint of [...models.keys()]) await unload({ fingerprint });
  },
});

async function runAll(jobs: readonly Job[]): Promise<InferenceAnswer> {
  const begin = performance.now();
  loading = 0;
  const outcomes: Outcome<JobResult>[] = [];
  for (const group of Map.groupBy(jobs.keys(), (at) => keyOf(jobs[at]!)).values()) {
    const found = await runEach(group.map((at) => jobs[at]!));
    for (const [index, at] of group.entries()) outcomes[at] = found[index]!;
  }
  return {
    outcomes: outcomes.map((outcome) =>
      'error' in outcome ? { failed: sentError(outcome.error) } : outcome,
    ),
    milliseconds: performance.now() - begin - loading,
  };
}

/** What jobs must have in common to run together. */
function keyOf(job: Job): string {
  const { kind, model } = job;
  const settings = kind === 'compose' ? [job.phi, job.method, job.weight, job.withoutWeight] : [];
  return JSON.stringify([kind, model.fingerprint, ...settings]);
}

/** Runs jobs together. If that fails, each has its own chance. */
async function runEach(jobs: readonly Job[]): Promise<readonly Outcome<JobResult>[]> {
  try {
    return await run(jobs);
  } catch (error) {
    if (jobs.length === 1) return [{ error }];
    const outcomes: Outcome<JobResult>[] = [];
    for (const job of jobs) outcomes.push(...(await runEach([job])));
    return outcomes;
  }
}

async function run(jobs: readonly Job[]): Promise<readonly Outcome<JobResult>[]> {
  const [first] = jobs;
  const loaded = await loadedModel(first!);
  const { clip } = loaded;
  switch (first!.kind) {
    case 'compose':
      return await composed(jobs as readonly ComposeJob[], loaded);
    case 'text': {
      const rows = jobs.map((job) => clip.tokenizer.encode((job as { text: string }).text));
      return rowsOf(await clip.encodeTokens(rows, true));
    }
    case 'image': {
      const all = jobs.map((job) => (job as { pixels: Float32Array }).pixels);
      const pixels = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
      let filled = 0;
      for (const one of all) {
        pixels.set(one, filled);
        filled += one.length;
      }
      return rowsOf(await clip.encodePixels(pixels));
    }
  }
}

async function composed(jobs: readonly ComposeJob[], loaded: Loaded): Promise<readonly Outcome<JobResult>[]> {
  const { clip } = loaded;
  const { method, weight, withoutWeight, phi: name } = jobs[0]!;
  const phi = methods[method].pseudoTokens && (await loadedPhi(name!, loaded));
  const size = clip.textConfig.projection;
  const rows = jobs.flatMap(({ images }) => images);
  const data = new Float32Array(rows.length * size);
  for (const [at, row] of rows.entries()) data.set(row, at * size);
  let next = 0;
  const queries = jobs.map(({ images, text = '', without }) => {
    const query = { images: images.map((_, at) => next + at), texts: [text], without };
    next += images.length;
    return query;
  });
  const failed = new Map<number, LincirError>();
  const { vectors, timings } = await composeAll(method, queries, {
    ...{ clip, phi, weight, withoutWeight },
    embeddings: { shape: [rows.length, size], data },
    onFailed: (error, at) => failed.set(at, error),
  });
  return jobs.map((_, at) => {
    const error = failed.get(at);
    return error ? { error } : { value: { vector: vectors.slice(at * size, (at + 1) * size), timings } };
  });
}

function rowsOf({ shape, data }: Float32Tensor): readonly Outcome<JobResult>[] {
  const [rows, size] = shape as [number, number];
  return Array.from({ length: rows }, (_, at) => {
    return { value: { vector: data.slice(at * size, (at + 1) * size), timings: {} } };
  });
}

/** The job's model, with the tower that it needs. */
async function loadedModel({ kind, model }: Job): Promise<Loaded> {
  const tower = kind === 'image' ? 'vision' : 'text';
  const known = models.get(model.fingerprint);
  if (known?.towers.has(tower)) return known;
  const begin = performance.now();
  const loaded = known ?? (await opened(model));
  const { clip, towers } = loaded;
  // A tower comes into memory when it is first used.
  if (tower === 'text') await clip.encodeTokens([clip.tokenizer.encode('')], true);
  else {
    const { channels, imageSize } = clip.visionConfig;
    await clip.encodePixels(new Float32Array(channels * imageSize ** 2));
  }
  towers.add(tower);
  loading += performance.now() - begin;
  tell({ ...model, loaded: true });
  return loaded;
}

async function opened({ name, fingerprint }: ModelToRun): Promise<Loaded> {
  const clip = await loadClip(name, {
    ...settings,
    precision: precisionOf(fingerprint),
    beginnings: [promptBeginning],
  });
  if (clip.fingerprint !== fingerprint) {
    throw new LincirError('bad-file', {
      subject: name,
      expected: 'the model that was there when the server began',
      found: 'another one',
      todo: 'start the server again',
    });
  }
  const loaded: Loaded = { name, clip, towers: new Set(), phis: new Map() };
  models.set(fingerprint, loaded);
  return loaded;
}

async function loadedPhi(name: string, { clip, phis }: Loaded): Promise<Phi> {
  const known = phis.get(name);
  if (known) return known;
  const begin = performance.now();
  const phi = await loadPhi(name, { ...settings, clip });
  phis.set(name, phi);
  loading += performance.now() - begin;
  return phi;
}

async function unload({ fingerprint }: Pick<ModelToRun, 'fingerprint'>): Promise<void> {
  const loaded = models.get(fingerprint);
  if (loaded === undefined) return;
  models.delete(fingerprint);
  for (const phi of loaded.phis.values()) await phi.dispose();
  await loaded.clip.dispose();
  tell({ name: loaded.name, fingerprint, loaded: false });
}
