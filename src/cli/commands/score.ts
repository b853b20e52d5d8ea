/** `lincir score`: scores predictions that were made elsewhere. */

import {
  expectRoomForResults,
  kindNamed,
  scorePredictions,
  writeEvaluation,
} from '../../benchmarks/index.ts';
import { aloneIn } from '../../files/index.ts';
import type { Context } from '../context.ts';
import { resultsTable } from '../evaluation/table.ts';
import { openedBenchmark, type ProtocolOptions, protocolOf } from './eval.ts';

interface ScoreOptions extends ProtocolOptions {
  readonly predictions: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

export async function score(name: string, options: ScoreOptions, context: Context): Promise<void> {
  const kind = kindNamed(name);
  const benchmark = await openedBenchmark(kind, options, context);
  const { predictions, out, json } = options;
  const evaluation = await scorePredictions(kind, benchmark, predictions, protocolOf(options));
  if (out !== undefined) {
    await aloneIn(out, async () => {
      await expectRoomForResults(out, evaluation.rankings.keys());
      await writeEvaluation(out, evaluation);
    });
  }
  if (json) context.print(JSON.stringify(evaluation.results));
  else for (const line of resultsTable(evaluation.results)) context.print(line);
}
