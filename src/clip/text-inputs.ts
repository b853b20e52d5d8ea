/** What every text tower begins with: its inputs, the embeddings of tokens and positions, and masks. */

import {
  add,
  constant,
  type Dimension,
  dimensions,
  expand,
  gather,
  greater,
  input,
  integers,
  plus,
  reshape,
  scatterND,
  sizeAt,
  slice,
  type Value,
  where,
} from '../onnx/index.ts';
import type { TextConfig } from './config.ts';
import type { Parameter } from './transformer.ts';

export interface TextInputs {
  /** Token ids [batch, positions], int64. What follows a row's end of text does not matter. */
  readonly ids: Value;
  /** [batch, 2], int64: the row's number and the position of its end: of its end of text, or of the last token if that is pooled. */
  readonly ends: Value;
  /** [placements, 2], int64: row and position of each vector of `injected`. */
  readonly placements?: Value;
  /** [placements, width]: vectors that replace token embeddings. Absent, with `placements`: none. */
  readonly injected?: Value;
}

/** Inputs for a tower of this config, named by their keys. */
export function textInputs({ width }: TextConfig): Required<TextInputs> {
  return {
    ids: input('ids', 'int64', ['batch', 'positions']),
    ends: input('ends', 'int64', ['batch', 2]),
    placements: input('placements', 'int64', ['placements', 2]),
    injected: input('injected', 'float32', ['placements', width]),
  };
}

/** [batch, positions, width], with the injected vectors in their places, if there are such. */
export function injectedTokens(
  { ids, placements, injected }: TextInputs,
  config: TextConfig,
  parameter: Parameter,
): Value {
  const tokens = tokenEmbeddings(ids, config, parameter);
  return placements && injected ? scatterND(tokens, placements, injected) : tokens;
}

export function tokenEmbeddings(ids: Value, { vocabulary, width }: TextConfig, parameter: Parameter): Value {
  return gather(parameter('embeddings.token_embedding.weight', [vocabulary, width]), ids);
}

export function positionEmbeddings(places: Value, config: TextConfig, parameter: Parameter): Value {
  const { rows, first } = config.positionTable ?? { rows: config.positions, first: 0 };
  const table = parameter('embeddings.position_embedding.weight', [rows, config.width]);
  return gather(table, first === 0 ? places : add(places, dimensions([first])));
}

/** first, first + 1, …: as many as `count`. */
export function placesOf({ positions }: TextConfig, first: Dimension, count: Dimension): Value {
  return slice(integers([...Array(positions).keys()]), 0, first, plus(first, count));
}

/** The mask of a text's own positions, for as many queries as there are: [batch, 1, queries, positions]. */
export function hideAfterEnd(places: Value, ends: Value, queries: Dimension): Value {
  const batch = sizeAt(ends, 0);
  const end = reshape(slice(ends, 1, 1, 2), [batch, 1, 1, 1]);
  return expand(hideAfter(places, end), [batch, 1, queries, sizeAt(places, 0)]);
}

/** Attention mask: nearly minus infinity for keys after the query's position. [?, 1, ?, positions] */
export function hideAfter(places: Value, queries: Value): Value {
  const lowest = -3.4028234663852886e38; // the least float32, as in transformers
  return where(greater(places, queries), constant(lowest), constant(0));
}
