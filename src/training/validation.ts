/** Validates phi during training: a small contract, and a validation on held-out captions. */

import {
  createPreparation,
  findCaptionSources,
  type Masking,
  type OnLeftOut,
  type PreparedCaption,
} from '../captions/index.ts';
import type { Clip } from '../clip/index.ts';
import { type Float32Tensor, LincirError, option, quoted, sequence } from '../core/index.ts';
import type { Phi } from '../phi/index.ts';
import type { TrainingSettings } from './settings.ts';

/** Measures a phi. A benchmark is one of these. */
export interface Validation {
  /** Unique in its run, such as 'captions'. */
  readonly name: string;
  /** The metric by which the best phi is kept; more of it is better. */
  readonly primaryMetric: string;
  /** Metrics by name. The same phi has the same metrics. */
  evaluate(model: { readonly clip: Clip; readonly phi: Phi }): Promise<Readonly<Record<string, number>>>;
}

interface HeldOutOptions {
  readonly columns: readonly string[];
  readonly masking: Masking;
  /** Called for a row without a usable caption. */
  readonly onLeftOut?: OnLeftOut;
}

/** Captions beyond this number are ignored, because the similarities of all pairs are computed. */
const mostCaptions = 1000;

/**
 * Validates on captions that training does not see. Each is masked and rebuilt with phi's pseudo token; its embedding then
 * searches all captions for the original. Metrics: `R@1` and `R@5`, the parts of captions found first and among the first
 * five; `loss`, the training loss without noise and dropout; `cosine`, the mean similarity with the original.
 * @param file captions, as `findCaptionSources` takes them
 */
function heldOutCaptions(file: string, { columns, masking, onLeftOut }: HeldOutOptions): Validation {
  let prepared: readonly PreparedCaption[] | undefined;
  return {
    name: 'captions',
    primaryMetric: 'R@1',
    async evaluate({ clip, phi }) {
      prepared ??= await prepareCaptions(file, { columns, masking, onLeftOut }, clip);
      const wanted = await clip.encodeTokens(prepared);
      const pseudo = await phi.encode(wanted);
      const width = pseudo.shape[1]!;
      const found = await clip.encodeTokens(
        prepared.map(({ masked: ids, placeholders }, row) => {
          const vector = pseudo.data.subarray(row * width, (row + 1) * width);
          return { ids, injected: placeholders.map((position) => ({ position, vector })) };
        }),
      );
      return comparison(found, wanted);
    },
  };
}

/** Opens what the setting `validate` names. Throws 'bad-argument' for what does not exist. */
export function validationNamed(spec: string, options: HeldOutOptions): Validation {
  const [, kind, rest] = /^([^:]*):(.+)$/s.exec(spec) ?? [];
  if (kind === 'captions' && rest !== undefined) return heldOutCaptions(rest, options);
  throw new LincirError('bad-argument', {
    subject: option<TrainingSettings>('validate'),
    expected: 'captions:FILE, captions that training does not see, or BENCHMARK:FOLDER',
    found: quoted(spec),
  });
}

async function prepareCaptions(
  file: string,
  { columns, masking, onLeftOut }: HeldOutOptions,
  { tokenizer }: Clip,
): Promise<PreparedCaption[]> {
  const prepare = await createPreparation(tokenizer, masking);
  const prepared: PreparedCaption[] = [];
  for (const source of await findCaptionSources([file], { columns })) {
    for await (const batch of source.captions({ onLeftOut: (where, reason) => onLeftOut?.(where, reason) })) {
      for (const caption of batch) {
        if (prepared.length === mostCaptions) return prepared;
        const random = sequence({ seed: 0, purpose: 'masking', moment: prepared.length, row: 0 });
        prepared.push(prepare(caption, random));
      }
    }
  }
  return prepared;
}

/** [captions, projection] each */
function comparison(found: Float32Tensor, wanted: Float32Tensor): Record<string, number> {
  const [rows, size] = wanted.shape as [number, number];
  const row = (tensor: Float32Tensor, index: number) =>
    tensor.data.subarray(index * size, (index + 1) * size);
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);
  const norms = Float64Array.from({ length: rows }, (_, index) => {
    const values = row(wanted, index);
    return Math.sqrt(dot(values, values));
  });
  const totals = { 'R@1': 0, 'R@5': 0, loss: 0, cosine: 0 };
  for (let index = 0; index < rows; index += 1) {
    const query = row(found, index);
    const own = dot(query, row(wanted, index)) / norms[index]!;
    let better = 0;
    for (let other = 0; other < rows; other += 1) {
      if (other !== index && dot(query, row(wanted, other)) / norms[other]! > own) better += 1;
    }
    if (better < 1) totals['R@1'] += 1 / rows;
    if (better < 5) totals['R@5'] += 1 / rows;
    totals.cosine += own / Math.sqrt(dot(query, query)) / rows;
    const difference = query.map((value, at) => value - row(wanted, index)[at]!);
    totals.loss += dot(difference, difference) / size / rows;
  }
  return totals;
}
