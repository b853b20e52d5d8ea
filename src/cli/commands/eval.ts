/** `lincir eval` and `lincir submit`: measure methods on a benchmark, and show progress and results. */

import { join } from 'node:path';
import {
  type Benchmark,
  type BenchmarkKind,
  type EvaluateOptions,
  type EvaluationProgress,
  evaluate as evaluateMethods,
  evaluationReport,
  expectRoomForResults,
  type ImageProblem,
  kindNamed,
  type OpenBenchmarkOptions,
  openKind,
  openMethods,
  promptOf,
  rankAll,
  wordingsOf,
  writeEvaluation,
  writeSubmission,
} from '../../benchmarks/index.ts';
import { type Clip, loadClip } from '../../clip/index.ts';
import { type Method, methodNames, methods, phiMethods, weightedMethods } from '../../composition/index.ts';
import { LincirError } from '../../core/index.ts';
import { aloneIn, cacheFolder, writeFileAtomically } from '../../files/index.ts';
import { type Device, expectPrecision } from '../../onnx/index.ts';
import type { WorkShard } from '../../pictures/index.ts';
import { type Context, downloadBar, phiDownload, Warnings } from '../context.ts';
import { embedShard } from '../evaluation/shard.ts';
import { resultsTable, timesLine } from '../evaluation/table.ts';
import { refuseIdle } from '../idle-options.ts';
import { imagePrecisions } from '../options.ts';
import type { Work } from '../terminal/progress.ts';

export interface ProtocolOptions {
  readonly data: string;
  readonly split?: string;
  readonly variant?: string;
  readonly only?: readonly string[];
  readonly anyVersion?: boolean;
}

/** With the option of each method: its phi, which is `phi` for `lincir`, or its weight. */
interface ModelledOptions
  extends ProtocolOptions,
    Readonly<Partial<Record<Method | 'phi', string> & Record<`${Method}Weight`, number>>> {
  readonly model: string;
  readonly methods?: readonly Method[];
  readonly prompt?: string;
  readonly cache?: string;
  readonly precision?: (typeof imagePrecisions)[number];
  readonly device?: Device;
  readonly threads?: number;
  readonly targetPad?: number;
  readonly maxPixels?: number;
  readonly out?: string;
  readonly prompts?: string;
}

interface EvaluateCommandOptions extends ModelledOptions {
  readonly limit?: number;
  readonly reportQueries?: number;
  readonly shard?: WorkShard;
  readonly json?: boolean;
}

interface SubmitOptions extends ModelledOptions {
  readonly out: string;
}

export async function evaluate(
  name: string,
  options: EvaluateCommandOptions,
  context: Context,
): Promise<void> {
  const { reporter, print } = context;
  const kind = kindNamed(name);
  const { limit, reportQueries, json } = options;
  const benchmark = await openedBenchmark(kind, options, context);
  if (options.shard) {
    const clip = await loadModel(options, context);
    return await embedShard(benchmark, clip, { ...options, shard: options.shard }, context);
  }
  const wordings = options.prompts === undefined ? [] : await wordingsOf(options.prompts, benchmark.prompt);
  const out = options.out ?? join('evaluations', `${slug(benchmark.preset)}-${timestamp()}`);
  const evaluation = await aloneIn(out, async () => {
    await expectRoomForResults(out, methodsOf(options));
    const evaluation = await withMethods(benchmark, options, context, (given) =>
      evaluateMethods(benchmark, { ...given, opened: protocolOf(options), wordings, limit }),
    );
    try {
      reporter.begin({ label: 'report', unit: 'images' });
      const report = await evaluationReport({
        ...{ benchmark, ...evaluation },
        queriesShown: reportQueries,
        onProgress: (done) => reporter.advance(done),
      });
      reporter.end();
      await writeFileAtomically(join(out, 'report.html'), (file) => file.writeFile(report));
    } finally {
      // Even if the report fails. Last, because a folder with results counts as complete and taken.
      await writeEvaluation(out, evaluation);
    }
    return evaluation;
  });
  if (json) print(JSON.stringify(evaluation.results));
  else for (const line of resultsTable(evaluation.results)) print(line);
  reporter.note(timesLine(evaluation.results));
  reporter.note(`→ ${join(out, 'report.html')}`);
}

export async function submit(name: string, options: SubmitOptions, context: Context): Promise<void> {
  const kind = kindNamed(name);
  const split = options.split ?? kind.splits.at(-1);
  const benchmark = await openedBenchmark(kind, { ...options, split }, context);
  const asked = { ...options, methods: options.methods ?? (['lincir'] as const) };
  await aloneIn(options.out, async () => {
    const ranked = await withMethods(benchmark, asked, context, (given) => rankAll(benchmark, given));
    context.reporter.end();
    for (const [method, rankings] of ranked) {
      for (const file of await writeSubmission(options.out, kind, benchmark, method, rankings))
        context.print(file);
    }
  });
}

/** Opens a benchmark. If files are missing, says where to get them. */
export async function openedBenchmark(
  kind: BenchmarkKind,
  options: ProtocolOptions,
  { reporter }: Context,
): Promise<Benchmark> {
  try {
    return await openKind(kind, options.data, protocolOf(options));
  } catch (error) {
    if (error instanceof LincirError && error.code === 'not-found')
      reporter.note(`${kind.name}: ${kind.source}`);
    throw error;
  }
}

export function protocolOf({ split, variant, only, anyVersion }: ProtocolOptions): OpenBenchmarkOptions {
  return { split, variant, only, anyVersion };
}

/** Loads model and methods, lends them to `work`, and disposes of them. */
async function withMethods<Result>(
  benchmark: Benchmark,
  options: ModelledOptions,
  context: Context,
  work: (options: EvaluateOptions) => Promise<Result>,
): Promise<Result> {
  const { reporter, signal } = context;
  const { device, threads, maxPixels, cache = cacheFolder() } = options;
  const prompt = options.prompt === undefined ? undefined : promptOf(options.prompt, benchmark.prompt);
  const names = methodsOf(options);
  const isOfUse = (method: Method) => [names.includes(method), `${method} among --methods`] as const;
  const hasPrompts = names.some((name) => methods[name].pseudoTokens);
  const prompted = 'a method that puts a pseudo token into it, such as lincir with --phi';
  refuseIdle([
    ...phiMethods.map(
      (name) => [`--${phiOption(name)}`, options[phiOption(name)], ...isOfUse(name)] as const,
    ),
    ...weightedMethods.map(
      (name) => [`--${name}-weight`, options[`${name}Weight`], ...isOfUse(name)] as const,
    ),
    ['--prompt', options.prompt, hasPrompts, prompted],
    ['--prompts', options.prompts, hasPrompts, prompted],
  ]);
  const where = { device, threads };
  const clip = await loadModel(options, context);
  const problems = new Warnings(reporter, 'images are missing or broken');
  try {
    const opened = await openMethods(names, {
      ...{ clip, cache, signal, ...where },
      phi: Object.fromEntries(phiMethods.map((name) => [name, options[phiOption(name)]])),
      weights: Object.fromEntries(weightedMethods.map((name) => [name, options[`${name}Weight`]])),
      download: phiDownload(reporter),
      onInversion: (done, total) => reporter.progress({ label: 'oti', unit: 'images', total }, done),
    });
    try {
      return await work({
        ...{ clip, methods: opened.methods, prompt, cache, maxPixels, threads, signal },
        onProgress: (progress) => reporter.progress(workOf(progress), progress.done),
        onProblem: ({ path, reason }: ImageProblem) => problems.add(`${path}: ${reason}`),
      });
    } finally {
      problems.finish();
      if (problems.count > 0) reporter.note(`${benchmark.name}: ${kindNamed(benchmark.name).source}`);
      await opened.dispose();
    }
  } finally {
    await clip.dispose();
  }
}

async function loadModel(options: ModelledOptions, { reporter, signal }: Context): Promise<Clip> {
  const { model, precision, device, threads, targetPad } = options;
  expectPrecision(precision, device, imagePrecisions);
  const where = { device, threads, precision, targetPad };
  return await loadClip(model, { ...where, onDownload: downloadBar(reporter, model), signal });
}

/** Without a choice, those whose phi is given, and what needs no training. */
function methodsOf(options: ModelledOptions): readonly Method[] {
  const given = phiMethods.filter((name) => options[phiOption(name)] !== undefined);
  return options.methods ?? [...given, ...methodNames.filter((name) => !methods[name].pseudoTokens)];
}

function phiOption(method: Method): Method | 'phi' {
  return method === 'lincir' ? 'phi' : method;
}

function workOf({ stage, method, total }: EvaluationProgress): Work {
  const isOfQueries = method !== undefined;
  const label = method === undefined ? stage : `${stage}, ${method}`;
  return { label, unit: isOfQueries ? 'queries' : 'images', total };
}

function slug(preset: string): string {
  return preset.replaceAll(/[^\w]+/g, '-');
}

/** Local time as part of a file's name. */
function timestamp(): string {
  const now = new Date();
  const two = (value: number) => `${value}`.padStart(2, '0');
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('');
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
