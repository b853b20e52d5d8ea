/** `lincir check --phi`: measures a phi on a benchmark, and compares it with the figures that are known of it. */

import { basename } from 'node:path';
import {
  type Benchmark,
  type ComparedFigure,
  compareFigures,
  evaluate,
  figuresOf,
  type KnownFigures,
  kindNamed,
  openKind,
  type PublishedFigures,
  publishedFigures,
  rankAll,
  readResults,
  writeSubmission,
} from '../../benchmarks/index.ts';
import { LincirError, quoted } from '../../core/index.ts';
import { phiPresets } from '../../hub/index.ts';
import type { Device } from '../../onnx/index.ts';
import type { Context } from '../context.ts';
import { phiOption, withMethods } from '../evaluation/methods.ts';
import { aligned } from '../terminal/columns.ts';

export interface FiguresOptions {
  readonly phi: string;
  /** Folder of a benchmark, in its official layout. */
  readonly data: string;
  /** Default: the model that the phi is for. */
  readonly model?: string;
  /** A results.json, in place of published figures. */
  readonly values?: string;
  /** For what a server takes whose answers are secret. */
  readonly out?: string;
  readonly device?: Device;
  readonly threads?: number;
  readonly json?: boolean;
}

/** @param published in place of ours, for tests */
export async function checkFigures(
  options: FiguresOptions,
  context: Context,
  published: readonly PublishedFigures[] = publishedFigures,
): Promise<void> {
  const { phi, data, values, out, device, threads, json } = options;
  const { print } = context;
  const preset = phiPresets.find(
    ({ name, id, file }) => name === phi || `${id}/${file}` === phi || file === basename(phi),
  );
  const model = options.model ?? preset?.model;
  if (model === undefined) {
    throw new LincirError('bad-argument', {
      subject: `--phi ${quoted(phi)}`,
      expected: `a published phi: ${[...new Set(published.map((row) => row.phi))].join(', ')}`,
      found: 'another, whose model is not known',
      todo: 'give --model',
    });
  }
  const rows =
    values === undefined
      ? published.filter((row) => row.phi === (preset?.name ?? phi))
      : [figuresOf(await readResults(values), values)];
  if (rows.length === 0) {
    throw new LincirError('bad-argument', {
      subject: `--phi ${quoted(phi)}`,
      expected: 'a phi of which figures are published: docs/reproduce.md lists them',
      found: 'none of its figures',
      todo: 'compare with an earlier evaluation of your own: --values RESULTS.json',
    });
  }
  const [known, benchmark] = await openKnown(rows, data);
  const isSecret = benchmark.queries.some(({ targets }) => targets === undefined);
  if (isSecret && out === undefined) {
    throw new LincirError('bad-argument', {
      subject: benchmark.preset,
      expected: '--out, a folder for what its server takes: it keeps the answers secret',
      found: 'none',
    });
  }
  if (!isSecret && out !== undefined) {
    throw new LincirError('bad-argument', {
      subject: '--out',
      expected: 'a benchmark whose answers are secret',
      found: benchmark.preset,
      todo: 'leave it out: the answers are here',
    });
  }
  const { method } = known;
  const asked = { model, device, threads, methods: [method], [phiOption(method)]: phi };
  const found = await withMethods(benchmark, asked, context, async (given) => {
    if (!isSecret)
      return { results: (await evaluate(benchmark, { ...given, opened: known.options })).results };
    const rankings = (await rankAll(benchmark, given)).get(method)!;
    const kind = kindNamed(known.benchmark);
    return { files: await writeSubmission(out!, kind, benchmark, method, rankings) };
  });
  context.reporter.end();
  const results = 'results' in found ? found.results : undefined;
  const files = 'files' in found ? found.files : undefined;
  const compared = compareFigures(known, results);
  const { source, tolerance } = known;
  if (json) {
    print(JSON.stringify({ phi, model, benchmark: benchmark.preset, source, figures: compared, files }));
  } else {
    for (const line of figuresTable(benchmark.preset, compared)) print(line);
    print(`known from ${source}; at most ${tolerance} points apart`);
    if (files) {
      print(
        `\nNothing was compared: ${benchmark.preset} keeps its answers secret. Send its server these files,`,
      );
      print('and compare what it says with the figures above:');
      for (const file of files) print(`  ${file}`);
    }
  }
  const wrong = compared.filter(({ isSame }) => isSame === false);
  if (wrong.length === 0) return;
  throw new LincirError('bad-file', {
    subject: `phi ${quoted(phi)} on ${benchmark.preset}`,
    expected: 'the known figures',
    found: `${wrong.length} of ${compared.length} that differ by more than ${tolerance} points`,
    todo: 'check that the model, the images and the prompt are those of the source',
  });
}

/** The benchmark in a folder, of those whose figures are known. Throws LincirError 'not-found' if it is none of them. */
async function openKnown(
  rows: readonly KnownFigures[],
  data: string,
): Promise<readonly [KnownFigures, Benchmark]> {
  const missing: LincirError[] = [];
  for (const row of rows) {
    try {
      return [row, await openKind(kindNamed(row.benchmark), data, row.options)];
    } catch (error) {
      if (!(error instanceof LincirError) || error.code !== 'not-found') throw error;
      missing.push(error);
    }
  }
  throw new LincirError('not-found', {
    subject: `--data ${quoted(data, 200)}`,
    expected: `one of ${rows.map(({ benchmark, options }) => [benchmark, options.split].filter(Boolean).join(' ')).join(', ')}, in its official layout`,
    found: `none: ${missing.map(({ problem }) => `no ${problem.subject}`).join(', ')}`,
    todo: 'docs/evaluation.md says how to lay out the folder of a benchmark',
  });
}

function figuresTable(preset: string, compared: readonly ComparedFigure[]): string[] {
  const head = [preset, 'known', 'here', 'difference', ''];
  const rows = compared.map(({ what, known, here, isSame }) => [
    what,
    known.toFixed(2),
    here === undefined ? '–' : here.toFixed(2),
    here === undefined ? '–' : (here - known).toFixed(2),
    isSame === undefined ? 'not compared' : isSame ? 'right' : 'wrong',
  ]);
  return aligned([head, ...rows]);
}
