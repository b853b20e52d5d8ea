/** `lincir eval` and `lincir submit`: measure methods on a benchmark, and show progress and results. */

import { join } from 'node:path';
import {
  type Benchmark,
  type BenchmarkKind,
  evaluate as evaluateMethods,
  evaluationReport,
  expectRoomForResults,
  kindNamed,
  type OpenBenchmarkOptions,
  openKind,
  rankAll,
  wordingsOf,
  writeEvaluation,
  writeSubmission,
} from '../../benchmarks/index.ts';
import { LincirError } from '../../core/index.ts';
import { aloneIn, writeFileAtomically } from '../../files/index.ts';
import type { WorkShard } from '../../pictures/index.ts';
import type { Context } from '../context.ts';
import { loadModel, type MethodOptions, methodsOf, withMethods } from '../evaluation/methods.ts';
import { embedShard } from '../evaluation/shard.ts';
import { resultsTable, timesLine } from '../evaluation/table.ts';

export interface ProtocolOptions {
  readonly data: string;
  readonly split?: string;
  readonly variant?: string;
  readonly only?: readonly string[];
  readonly anyVersion?: boolean;
}

interface ModelledOptions extends ProtocolOptions, MethodOptions {
  readonly out?: string;
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
