/** Compares a model with known values: what it says of a picture and texts, beside what a source says. */

import type { Clip } from '../../clip/index.ts';
import { LincirError, readTensor } from '../../core/index.ts';
import type { ImageSource } from '../../pixels/index.ts';
import type { KnownValues, ValueKind } from './values.ts';

export interface ComparedValue {
  readonly text: string;
  /** What the source says. */
  readonly known: number;
  /** What the model gives here. */
  readonly here: number;
  /** The largest difference that counts as none. */
  readonly bound: number;
  readonly isSame: boolean;
}

/** @throws LincirError as `valuesOf` */
export async function compareValues(
  clip: Clip,
  picture: ImageSource,
  { texts, kind, values, tolerance }: KnownValues,
): Promise<ComparedValue[]> {
  const found = await valuesOf(clip, picture, texts, kind);
  return texts.map((text, at) => {
    const [known, here] = [values[at]!, found[at]!];
    const bound = tolerance.absolute + tolerance.relative * Math.abs(known);
    return { text, known, here, bound, isSame: Math.abs(here - known) <= bound };
  });
}

/**
 * How similar the picture is to each text: `logits_per_image` of transformers' models, or what is made of them.
 * @throws LincirError 'bad-config' for a model that lacks a tower, 'bad-file' for one without a scale of logits, and what
 *   encoding throws
 */
export async function valuesOf(
  clip: Clip,
  picture: ImageSource,
  texts: readonly string[],
  kind: ValueKind,
): Promise<number[]> {
  const { projection } = clip.visionConfig;
  const { data: words } = await clip.encodeTexts(texts, { normalize: true });
  const { data: image } = await clip.encodeImages([picture], { normalize: true });
  const cosines = texts.map((_, row) =>
    image.reduce((sum, value, at) => sum + value * words[row * projection + at]!, 0),
  );
  if (kind === 'cosines') return cosines;
  const scale = Math.exp(await scalar(clip, 'logit_scale'));
  const bias = clip.checkpoint.tensors.has('logit_bias') ? await scalar(clip, 'logit_bias') : 0;
  const logits = cosines.map((cosine) => scale * cosine + bias);
  if (kind === 'logits') return logits;
  if (kind === 'sigmoid') return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((all, power) => all + power, 0);
  return powers.map((power) => power / sum);
}

async function scalar({ checkpoint, folder }: Clip, name: string): Promise<number> {
  const stored = checkpoint.tensors.get(name);
  const value = stored && (await readTensor(stored)).data[0];
  if (value !== undefined) return value;
  throw new LincirError('bad-file', {
    subject: folder,
    expected: `a tensor ${name}, the scale of logits`,
    found: 'none',
    todo: 'compare cosines instead',
  });
}
