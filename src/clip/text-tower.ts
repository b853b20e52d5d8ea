/** CLIP's text tower with its projection, as a graph; a caption's tokens may be replaced by given vectors. */

import {
  add,
  constant,
  gather,
  gatherND,
  greater,
  input,
  integers,
  linear,
  reshape,
  scatterND,
  sizeAt,
  slice,
  type Value,
  where,
} from '../onnx/index.ts';
import type { TextConfig } from './config.ts';
import { normalized, type Parameter, transformer } from './transformer.ts';

export interface TextInputs {
  /** Token ids [batch, positions], int64. What stands after a row's end of text is never looked at. */
  readonly ids: Value;
  /** [batch, 2], int64: the row's number and the position of its end of text. */
  readonly ends: Value;
  /** [placements, 2], int64: row and position of each vector of `injected`. */
  readonly placements: Value;
  /** [placements, width]: vectors that stand in place of token embeddings. */
  readonly injected: Value;
}

/** Inputs for a tower of this config, named by their keys. */
export function textInputs({ width }: TextConfig): TextInputs {
  return {
    ids: input('ids', 'int64', ['batch', 'positions']),
    ends: input('ends', 'int64', ['batch', 2]),
    placements: input('placements', 'int64', ['placements', 2]),
    injected: input('injected', 'float32', ['placements', width]),
  };
}

/**
 * The projected, un-normalised embedding of every row: `text_embeds` of CLIPTextModelWithProjection.
 * @returns [batch, projection]
 */
export function textTower(
  { ids, ends, placements, injected }: TextInputs,
  config: TextConfig,
  parameter: Parameter,
): Value {
  const { width, vocabulary, positions: maximum, projection } = config;
  const [batch, positions] = [sizeAt(ids, 0), sizeAt(ids, 1)];
  const inner: Parameter = (name, shape) => parameter(`text_model.${name}`, shape);

  const words = gather(inner('embeddings.token_embedding.weight', [vocabulary, width]), ids);
  const tokens = scatterND(words, placements, injected); // [batch, positions, width]
  const places = slice(integers([...Array(maximum).keys()]), 0, 0, positions); // 0, 1, …, positions - 1
  const hidden = add(tokens, gather(inner('embeddings.position_embedding.weight', [maximum, width]), places));

  const end = reshape(slice(ends, 1, 1, 2), [batch, 1, 1, 1]);
  const chosen = transformer(
    hidden,
    config,
    inner,
    (all) => reshape(gatherND(all, ends), [batch, 1, width]),
    {
      all: hideAfter(places, reshape(places, [1, 1, positions, 1])),
      chosen: hideAfter(places, end),
    },
  );
  const row = reshape(normalized(chosen, inner, 'final_layer_norm', config), [batch, width]);
  return linear(row, parameter('text_projection.weight', [projection, width]));
}

/** Attention mask: minus infinity, nearly, for keys that come after the query's position. [?, 1, ?, positions] */
function hideAfter(places: Value, queries: Value): Value {
  const lowest = -3.4028234663852886e38; // what transformers uses: the least float32
  return where(greater(places, queries), constant(lowest), constant(0));
}
