/** The benchmark's figures for a method: mAP@10 of all queries, as `lincir eval mini` has it. */

import { type ComposingModel, composeAll, type PseudoTokenEncoder } from '../../../src/composition/index.ts';
import { averagePrecision, weightOf, wording } from './asking.ts';
import { type Gallery, nearest } from './gallery.ts';
import type { Evaluation, MiniQuery, ShownMethod } from './protocol.ts';

const cut = 10;

export async function evaluated(
  method: ShownMethod,
  model: ComposingModel,
  phi: PseudoTokenEncoder,
  gallery: Gallery,
  queries: readonly MiniQuery[],
): Promise<Omit<Evaluation, 'step'>> {
  const begin = performance.now();
  const asked = queries.map(({ reference, text }) => ({
    images: [reference - 1],
    texts: [wording(method, text)],
  }));
  const { vectors } = await composeAll(method, asked, {
    ...{ clip: model, embeddings: gallery.embeddings, phi, weight: weightOf(method) },
  });
  const dimensions = vectors.length / queries.length;
  const precisions = queries.map((query, at) => {
    const vector = vectors.subarray(at * dimensions, (at + 1) * dimensions);
    return averagePrecision(query, nearest(gallery, vector, cut));
  });
  const byKind = Map.groupBy(precisions.keys(), (at) => queries[at]!.kind);
  return {
    meanAveragePrecision: mean(precisions),
    byKind: Object.fromEntries(
      [...byKind].map(([kind, rows]) => [kind, mean(rows.map((at) => precisions[at]!))]),
    ),
    seconds: (performance.now() - begin) / 1000,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
