/** Both towers with the inputs and outputs that other programs know, by the names that transformers and optimum use. */

import {
  add,
  argMax,
  cast,
  equal,
  expand,
  input,
  integers,
  minus,
  nonZero,
  pad,
  reduceSum,
  sizeAt,
  sub,
  transpose,
  type Value,
} from '../onnx/index.ts';
import type { TextConfig, VisionConfig } from './config.ts';
import { placesOf, type TextInputs } from './text-inputs.ts';
import { textTower } from './text-tower.ts';
import type { Parameter } from './transformer.ts';
import { visionTower } from './vision-tower.ts';

/** `image_embeds` from `pixel_values`, which are preprocessed: [batch_size, channels, height, width]. */
export function plainVisionTower(
  config: VisionConfig,
  parameter: Parameter,
): { readonly image_embeds: Value } {
  const { channels, imageSize } = config;
  const pixels = input('pixel_values', 'float32', ['batch_size', channels, imageSize, imageSize]);
  return { image_embeds: visionTower(pixels, config, parameter) };
}

/** Whether the tower must be told where texts end: it attends to all of a text, and to no padding behind it. */
export function takesAttentionMask({ attention }: TextConfig): boolean {
  return attention === 'toEnd';
}

/**
 * `text_embeds` from `input_ids` [batch_size, sequence_length], int64, with start and end of text, and padding behind it;
 * and from an `attention_mask` of the same shape, if the tower takes one.
 * @param placeholder the id for which the rows of a further input stand, `pseudo_tokens` [placeholders, width], in the order
 *   in which one reads the ids. Absent: there is no such input
 */
export function plainTextTower(
  config: TextConfig,
  parameter: Parameter,
  placeholder?: number,
): { readonly text_embeds: Value } {
  const given = input('input_ids', 'int64', ['batch_size', 'sequence_length']);
  const ids = config.attention === 'everywhere' ? filledUp(given, config) : given;
  const inputs: TextInputs = { ids, ends: endsOf(ids, config), ...pseudoTokens(ids, config, placeholder) };
  return { text_embeds: textTower(inputs, config, parameter) };
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
function endsOf(ids: Value, config: TextConfig): Value {
  const places = placesOf(config, 0, sizeAt(ids, 1));
  const isEnd = equal(places, endPositions(ids, config)); // [batch_size, positions]: true once in each row
  return transpose(nonZero(isEnd, 'batch_size'), [1, 0]);
}

/** [batch_size, 1] */
function endPositions(ids: Value, config: TextConfig): Value {
  const { endOfText, pooling, positions } = config;
  if (takesAttentionMask(config)) {
    const mask = input('attention_mask', 'int64', ['batch_size', 'sequence_length']);
    return sub(reduceSum(mask, [1], true), integers([1], []));
  }
  if (pooling === 'last' || endOfText === 'last') {
    return expand(integers([positions - 1], [1, 1]), [sizeAt(ids, 0), 1]);
  }
  // As transformers does. int32, because not every runtime finds the largest int64.
  const marks = endOfText === 'largest' ? ids : equal(ids, integers([endOfText], []));
  return argMax(cast(marks, 'int32'), 1);
}
