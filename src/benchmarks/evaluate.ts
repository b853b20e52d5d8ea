/** Evaluates methods: embeds images, composes queries, ranks and scores. Also validates phi during training. */

import { createHash } from 'node:crypto';
import type { Clip } from '../clip/index.ts';
import { type KnownTexts, methods } from '../composition/index.ts';
import { LincirError } from '../core/index.ts';
import { versions } from '../files/index.ts';
import type { Validation } from '../training/index.ts';
import type { Benchmark, BenchmarkQuery, OpenBenchmarkOptions, Prompt, Ranking } from './benchmark.ts';
import { type EmbedImagesOptions, embedImages, type ImageEmbeddings } from './embed-images.ts';
import { composeQueries, type MethodToEvaluate, methodToEvaluate } from './methods.ts';
import { rank } from './ranking.ts';
import type { MethodResults, Results } from './results.ts';
import { meanScore, type RankedMethod, scoreMethods } from './scoring.ts';

export interface EvaluateOptions
  extends Pick<EmbedImagesOptions, 'cache' | 'maxPixels' | 'signal' | 'onProblem'> {
  readonly clip: Clip;
  /** Differences are to the first one. */
  readonly methods: readonly MethodToEvaluate[];
  /** The options that opened the benchmark, for the record. */
  readonly opened?: OpenBenchmarkOptions;
  /** Default: the benchmark's own. */
  readonly prompt?: Prompt;
  /** Other prompts, to see what the wording changes. */
  readonly wordings?: readonly Prompt[];
  /** Ask only so many queries, spread over the benchmark. Results then say so, and are not comparable. */
  readonly limit?: number;
  readonly threads?: number;
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

export interface EvaluationProgress {
  readonly stage: 'looking' | 'checking' | 'encoding' | 'composing' | 'ranking' | 'scoring';
  /** The method at work, in stages that work for one method. */
  readonly method?: string;
  readonly done: number;
  readonly total: number;
}

/** A method's rankings by query id. */
export type Rankings = ReadonlyMap<string, Ranking>;

export interface Evaluation {
  readonly results: Results;
  /** By method. */
  readonly rankings: ReadonlyMap<string, Rankings>;
}

/**
 * Evaluates methods on a benchmark.
 * @throws LincirError 'bad-argument' for a split whose answers are secret, and what `embedImages` and `composeQueries` throw
 */
export async function evaluate(benchmark: Benchmark, options: EvaluateOptions): Promise<Evaluation> {
  const { clip, opened = {}, wordings = [], limit } = options;
  const asked = askedFor(benchmark, limit);
  const hidden = asked.queries.find(({ targets }) => targets === undefined);
  if (hidden !== undefined) {
    throw new LincirError('bad-argument', {
      subject: benchmark.preset,
      expected: 'a split whose answers are known',
      found: 'one whose answers are secret',
      todo: `write a submission for its server: lincir submit ${benchmark.name}`,
    });
  }
  const run = await rankMethods(asked, options);
  const { seconds } = run;
  const timed = stopwatch(seconds);
  options.onProgress?.({ stage: 'scoring', done: 0, total: 1 });
  const scored = await timed('scoring', async () => scoreMethods(asked, asked.queries, run.methods));
  const found: MethodResults[] = [];
  for (const [at, results] of scored.entries()) {
    const method = options.methods[at]!;
    const isWorded = methods[method.method].pseudoTokens !== undefined && wordings.length > 0;
    found.push(
      isWorded ? { ...results, wordings: await tryWordings(asked, method, run.pictures, options) } : results,
    );
  }
  return {
    results: {
      version: 1,
      benchmark: benchmark.name,
      preset: benchmark.preset,
      options: optionsOf(opened),
      folder: benchmark.folder,
      sha256: contentHash(benchmark),
      limit: asked.queries.length < benchmark.queries.length ? asked.queries.length : null,
      images: asked.images.length,
      ...scale(asked),
      model: modelOf(clip),
      methods: found,
      seconds,
      versions: versions(),
      date: new Date().toISOString(),
    },
    rankings: new Map(run.methods.map(({ name, rankings }) => [name, byQuery(asked, rankings)])),
  };
}

function modelOf({ id, folder, fingerprint, targetPad, precision }: Clip): NonNullable<Results['model']> {
  return { name: id ?? folder, fingerprint, targetPad, precision };
}

/** SHA-256 of a benchmark's queries and galleries, in hex. */
export function contentHash({ queries, galleries }: Benchmark): string {
  const hash = createHash('sha256');
  for (const part of [...galleries, ...queries]) hash.update(`${JSON.stringify(part)}\n`);
  return hash.digest('hex');
}

/** Explains the figures in results. */
export function scale({
  metrics,
  primaryMetric,
  mean,
  queries,
}: Benchmark): Pick<Results, 'queries' | 'metrics' | 'primaryMetric' | 'mean' | 'groupOf'> {
  return {
    queries: queries.map(({ id }) => id),
    ...{ metrics, primaryMetric, mean },
    ...(mean === 'groups' && { groupOf: queries.map(({ groups }) => groups[0]!) }),
  };
}

/** The options that opened a benchmark, for the record. */
export function optionsOf({ split, variant, only, anyVersion }: OpenBenchmarkOptions): Results['options'] {
  return {
    split: split ?? null,
    variant: variant ?? null,
    only: only ?? null,
    anyVersion: anyVersion ?? false,
  };
}

/** Only the rankings, by method, for a submission: answers may be secret. */
export async function rankAll(
  benchmark: Benchmark,
  options: EvaluateOptions,
): Promise<ReadonlyMap<string, Rankings>> {
  const { methods } = await rankMethods(benchmark, options);
  return new Map(methods.map(({ name, rankings }) => [name, byQuery(benchmark, rankings)]));
}

/** Makes a benchmark a validation in training. Images are embedded once. */
export function validationOn(
  benchmark: Benchmark,
  options: Omit<EmbedImagesOptions, 'onProgress'> = {},
): Validation {
  let pictures: Promise<ImageEmbeddings> | undefined;
  const { prompt, queries } = benchmark;
  return {
    name: benchmark.preset,
    primaryMetric: benchmark.primaryMetric,
    async evaluate({ clip, phi }) {
      pictures ??= embedImages(benchmark, clip, options);
      const method = methodToEvaluate('lincir', { phi });
      const vectors = await composeQueries(method, queries, { clip, prompt, pictures: await pictures });
      return meanScore(benchmark, queries, await rank(benchmark, queries, vectors, await pictures));
    },
  };
}

interface Ranked {
  readonly methods: readonly RankedMethod[];
  readonly pictures: ImageEmbeddings;
  readonly seconds: Record<string, number>;
}

async function rankMethods(benchmark: Benchmark, options: EvaluateOptions): Promise<Ranked> {
  const { clip, prompt = benchmark.prompt, threads, signal, onProgress } = options;
  const { queries } = benchmark;
  const seconds: Record<string, number> = {};
  const timed = stopwatch(seconds);
  const pictures = await timed('images', () =>
    embedImages(benchmark, clip, {
      ...options,
      onProgress: (stage, done, total) => onProgress?.({ stage, done, total }),
    }),
  );
  const known: KnownTexts = new Map();
  const ranked: RankedMethod[] = [];
  for (const method of options.methods) {
    const { name, settings } = method;
    const progress = (stage: 'composing' | 'ranking', done: number) =>
      onProgress?.({ stage, method: name, done, total: queries.length });
    progress('composing', 0);
    const vectors = await timed(`composing, ${name}`, () =>
      composeQueries(method, queries, {
        ...{ clip, pictures, prompt, known, signal },
        onProgress: (done) => progress('composing', done),
      }),
    );
    progress('ranking', 0);
    const rankings = await timed(`ranking, ${name}`, () =>
      rank(benchmark, queries, vectors, pictures, { threads }),
    );
    ranked.push({ name, settings, prompt, rankings });
    signal?.throwIfAborted();
  }
  return { methods: ranked, pictures, seconds };
}

async function tryWordings(
  benchmark: Benchmark,
  method: MethodToEvaluate,
  pictures: ImageEmbeddings,
  { clip, wordings = [], threads, signal, onProgress }: EvaluateOptions,
): Promise<NonNullable<MethodResults['wordings']>> {
  const { queries } = benchmark;
  const tried: { prompt: Prompt; values: Record<string, number> }[] = [];
  for (const prompt of wordings) {
    const vectors = await composeQueries(method, queries, {
      ...{ clip, pictures, prompt, signal },
      onProgress: (done) =>
        onProgress?.({
          stage: 'composing',
          method: `${method.name}, ${prompt.composed}`,
          done,
          total: queries.length,
        }),
    });
    const rankings = await rank(benchmark, queries, vectors, pictures, { threads });
    tried.push({ prompt, values: meanScore(benchmark, queries, rankings) });
  }
  return tried;
}

/** The benchmark with only so many of its queries, spread over it, and the images that they need. */
function askedFor(benchmark: Benchmark, limit: number | undefined): Benchmark {
  const { images, galleries } = benchmark;
  const count = Math.min(limit ?? Number.POSITIVE_INFINITY, benchmark.queries.length);
  if (count === benchmark.queries.length) return benchmark;
  const step = benchmark.queries.length / count;
  const queries = Array.from({ length: count }, (_, at) => benchmark.queries[Math.floor(at * step)]!);
  const used = [...new Set(queries.flatMap(({ gallery }) => gallery ?? []))];
  const needed = new Set(used.flatMap((name) => galleries.get(name)!));
  for (const { reference, candidates = [] } of queries) {
    needed.add(reference);
    for (const candidate of candidates) needed.add(candidate);
  }
  return {
    ...benchmark,
    queries,
    images: images.filter(({ id }) => needed.has(id)),
    galleries: new Map(used.map((name) => [name, galleries.get(name)!])),
  };
}

function byQuery({ queries }: Benchmark, rankings: readonly Ranking[]): Rankings {
  return new Map(queries.map(({ id }: BenchmarkQuery, at) => [id, rankings[at]!]));
}

/** Adds to the seconds of each stage. */
function stopwatch(seconds: Record<string, number>) {
  return async <Result>(stage: string, work: () => Promise<Result>): Promise<Result> => {
    const begin = performance.now();
    const result = await work();
    seconds[stage] = (seconds[stage] ?? 0) + (performance.now() - begin) / 1000;
    return result;
  };
}
