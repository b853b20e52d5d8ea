/** The methods that an evaluation compares. They compose a benchmark's queries. */

import type { Clip } from '../clip/index.ts';
import {
  composeAll,
  type KnownTexts,
  type Method,
  methods,
  type PseudoTokenEncoder,
  weightOf,
} from '../composition/index.ts';
import type { BenchmarkQuery, Prompt } from './benchmark.ts';
import type { ImageEmbeddings } from './embed-images.ts';
import { filled } from './prompts.ts';
import type { MethodResults } from './results.ts';

/** A method that is ready to use. */
export interface MethodToEvaluate {
  readonly method: Method;
  /** Unique among the compared methods. */
  readonly name: string;
  /** Its settings, for the record. */
  readonly settings: MethodResults['settings'];
  /** Makes the pseudo tokens, for the methods that need them. */
  readonly phi?: PseudoTokenEncoder;
  /** Of the text. */
  readonly weight?: number;
}

/**
 * A method with its option: `phi`, which is a `Phi` or an inversion, or the `weight` of the text, by default the method's own.
 * @throws LincirError 'bad-argument' for an impossible weight
 */
export function methodToEvaluate(
  method: Method,
  { name = method, settings, phi, weight: given }: Partial<Omit<MethodToEvaluate, 'method'>> = {},
): MethodToEvaluate {
  const weight = weightOf(method, given);
  return {
    method,
    name,
    phi,
    weight,
    settings: weight === undefined ? { ...settings } : { ...settings, weight },
  };
}

interface ComposeQueriesOptions {
  readonly clip: Clip;
  readonly pictures: ImageEmbeddings;
  readonly prompt: Prompt;
  /** Shared by several methods. */
  readonly known?: KnownTexts;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

/**
 * Composes all queries with one method.
 * @returns [queries, projection], of length 1
 * @throws what `composeAll` throws, naming the query
 */
export async function composeQueries(
  { method, phi, weight }: MethodToEvaluate,
  queries: readonly BenchmarkQuery[],
  { clip, pictures, prompt, ...others }: ComposeQueriesOptions,
): Promise<Float32Array> {
  const { data, dimensions, rows } = pictures;
  const wording = methods[method].pseudoTokens ? prompt.composed : prompt.text;
  const parts = queries.map(({ id, reference, texts }) => ({
    name: `query ${id}`,
    images: [rows.get(reference)!],
    texts: texts.map((text) => filled(wording, text)),
  }));
  const embeddings = { shape: [rows.size, dimensions], data };
  return (await composeAll(method, parts, { clip, embeddings, phi, weight, ...others })).vectors;
}
