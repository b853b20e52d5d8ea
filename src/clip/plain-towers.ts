/** Both towers with the inputs and outputs that other programs know, by the names that transformers and optimum use. */

import type { StoredTensor } from '../core/index.ts';
import {
  add,
  argMax,
  cast,
  equal,
  exp,
  expand,
  input,
  integers,
  l2Normalize,
  matmul,
  minus,
  mul,
  nonZero,
  pad,
  reduceSum,
  reshape,
  sizeAt,
  sub,
  transpose,
  type Value,
  where,
} from '../onnx/index.ts';
import { isCausal, type TextConfig, type VisionConfig } from './config.ts';
import { placesOf, type TextInputs } from './text-inputs.ts';
import { textTower } from './text-tower.ts';
import { type Parameter, parametersOf } from './transformer.ts';
import { visionTower } from './vision-tower.ts';

const zero = integers([0], []);

/** `image_embeds` from `pixel_values`, which are preprocessed: [batch_size, channels, height, width]. */
export function plainVisionTower(
  config: VisionConfig,
  parameter: Parameter,
  batch = 'batch_size',
): { readonly image_embeds: Value } {
  const { channels, imageSize } = config;
  const pixels = input('pixel_values', 'float32', [batch, channels, imageSize, imageSize]);
  return { image_embeds: visionTower(pixels, config, parameter) };
}

/** Whether the tower must be told where texts end: it attends to all of a text, and to no padding behind it. */
export function takesAttentionMask({ attention }: TextConfig): boolean {
  return attention === 'toEnd';
}

interface PlainTextOptions {
  /**
   * The id for which the rows of a further input stand, `pseudo_tokens` [placeholders, width], in the order in which one reads
   * the ids. Absent: there is no such input.
   */
  readonly placeholder?: number;
  /** The name of the number of texts. Default: 'batch_size'. */
  readonly batch?: string;
  /** The id that hidden ids become, if a tower that needs no `attention_mask` is to take one all the same. */
  readonly hiddenAs?: number;
}

/**
 * `text_embeds` from `input_ids` [batch_size, sequence_length], int64, with start and end of text, and padding behind it;
 * and from an `attention_mask` of the same shape, if the tower takes one.
 */
export function plainTextTower(
  config: TextConfig,
  parameter: Parameter,
  { placeholder, batch = 'batch_size', hiddenAs }: PlainTextOptions = {},
): { readonly text_embeds: Value } {
  const given = input('input_ids', 'int64', [batch, 'sequence_length']);
  const mask = input('attention_mask', 'int64', given.shape);
  const seen = hiddenAs === undefined ? given : where(equal(mask, zero), integers([hiddenAs], []), given);
  const ids = config.attention === 'everywhere' ? filledUp(seen, config) : seen;
  const inputs: TextInputs = {
    ids,
    ends: endsOf(ids, mask, config),
    ...pseudoTokens(ids, config, placeholder),
  };
  return { text_embeds: textTower(inputs, config, parameter) };
}

/**
 * Both towers in one, as transformers' own models and optimum's exports of them: embeddings of length 1, and how similar each
 * image is to each text. Inputs are those of both, and an `attention_mask` for all but SigLIP.
 * @param padding the id that fills up texts
 * @throws LincirError 'bad-file' for a model without a scale of logits
 */
export function plainTowersInOne(
  { text, vision }: { readonly text: TextConfig; readonly vision: VisionConfig },
  tensors: ReadonlyMap<string, StoredTensor>,
  padding: number,
): Readonly<Record<string, Value>> {
  const parameter = parametersOf(tensors);
  const scalar = (name: string) => reshape(parameter(name, tensors.get(name)?.shape ?? []), []);
  const hiddenAs = isCausal(text) ? padding : undefined;
  const { text_embeds } = plainTextTower(text, parameter, { batch: 'text_batch_size', hiddenAs });
  const { image_embeds } = plainVisionTower(vision, parameter, 'image_batch_size');
  const [texts, images] = [l2Normalize(text_embeds), l2Normalize(image_embeds)];
  const scaled = mul(matmul(texts, transpose(images, [1, 0])), exp(scalar('logit_scale')));
  const logits = tensors.has('logit_bias') ? add(scaled, scalar('logit_bias')) : scaled; // [texts, images]
  return {
    logits_per_image: transpose(logits, [1, 0]),
    logits_per_text: logits,
    text_embeds: texts,
    image_embeds: images,
  };
}

function pseudoTokens(ids: Value, { width }: TextConfig, placeholder: number | undefined) {
  if (placeholder === undefined) return {};
  const found = nonZero(equal(ids, integers([placeholder], [])), 'placeholders'); // [2, placeholders]
  return {
    placements: transpose(found, [1, 0]),
    injected: input('pseudo_tokens', 'float32', ['placeholders', width]),
  };
}

/** Ids with padding up to the last position, which such a tower has always seen. */
function filledUp(ids: Value, { positions, padding = 0 }: TextConfig): Value {
  const amounts = [0, 0, 0, minus(positions, sizeAt(ids, 1))];
  const shift = integers([padding], []);
  return padding === 0 ? pad(ids, amounts) : add(pad(sub(ids, shift), amounts), shift);
}

/** Row and position of each row's end: [batch_size, 2]. */
function endsOf(ids: Value, mask: Value, config: TextConfig): Value {
  const places = placesOf(config, 0, sizeAt(ids, 1));
  const isEnd = equal(places, endPositions(ids, mask, config)); // [batch_size, positions]: true once in each row
  return transpose(nonZero(isEnd, sizeAt(ids, 0)), [1, 0]);
}

/** [batch_size, 1] */
function endPositions(ids: Value, mask: Value, config: TextConfig): Value {
  const { endOfText, pooling, positions } = config;
  if (takesAttentionMask(config)) return sub(reduceSum(mask, [1], true), integers([1], []));
  if (pooling === 'last' || endOfText === 'last') {
    return expand(integers([positions - 1], [1, 1]), [sizeAt(ids, 0), 1]);
  }
  // As transformers does. int32, because not every runtime finds the largest int64.
  const marks = endOfText === 'largest' ? ids : equal(ids, integers([endOfText], []));
  return argMax(cast(marks, 'int32'), 1);
}
