/** The text tower with its projection, as a graph. Given vectors may replace tokens of a caption. */

import {
  add,
  constant,
  type Dimension,
  dimensions,
  gather,
  gatherND,
  greater,
  input,
  integers,
  linear,
  plus,
  reshape,
  scatterND,
  sizeAt,
  slice,
  type Value,
  where,
} from '../onnx/index.ts';
import { isCausal, type TextConfig } from './config.ts';
import {
  normalized,
  type Parameter,
  type Prefix,
  plainArithmetic,
  prefixOf,
  transformer,
} from './transformer.ts';

export interface TextInputs {
  /** Token ids [batch, positions], int64. What follows a row's end of text does not matter. */
  readonly ids: Value;
  /** [batch, 2], int64: the row's number and the position of its end: of its end of text, or of the last token if that is pooled. */
  readonly ends: Value;
  /** [placements, 2], int64: row and position of each vector of `injected`. */
  readonly placements: Value;
  /** [placements, width]: vectors that replace token embeddings. */
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

/** Inputs for a prefix, which `textPrefix` computes; none for a tower that is not causal. */
export function prefixInputs(config: TextConfig): Prefix | undefined {
  if (!isCausal(config)) return undefined;
  const { layers, width } = config;
  return {
    keys: input('prefixKeys', 'float32', [layers, 'prefix', width]),
    values: input('prefixValues', 'float32', [layers, 'prefix', width]),
  };
}

/**
 * The projected, un-normalised embedding of every row: `text_embeds` of CLIPTextModelWithProjection,
 * `pooler_output` of SiglipTextModel.
 * @param prefix of token ids with which every row begins. Then `inputs` are without these, and positions count from the
 * first one after them
 * @returns [batch, projection]
 */
export function textTower(
  { ids, ends, placements, injected }: TextInputs,
  config: TextConfig,
  parameter: Parameter,
  prefix?: Prefix,
): Value {
  const { width, projection, attention = 'causal', pooling, projectionBias } = config;
  const [batch, positions] = [sizeAt(ids, 0), sizeAt(ids, 1)];
  const before = prefix ? sizeAt(prefix.keys, 1) : 0;
  const inner: Parameter = (name, shape) => parameter(`text_model.${name}`, shape);

  const tokens = scatterND(tokenEmbeddings(ids, config, inner), placements, injected); // [batch, positions, width]
  const places = placesOf(config, before, positions);
  const hidden = add(tokens, positionEmbeddings(places, config, inner));

  const end = add(reshape(slice(ends, 1, 1, 2), [batch, 1, 1, 1]), dimensions([before]));
  const keys = prefix ? placesOf(config, 0, plus(before, positions)) : places;
  const masks = {
    causal: () => {
      return { all: hideAfter(keys, reshape(places, [1, 1, positions, 1])), chosen: hideAfter(keys, end) };
    },
    toEnd: () => ({ all: hideAfter(keys, end), chosen: hideAfter(keys, end) }),
    everywhere: () => ({}),
  };
  const pooled = (all: Value) =>
    pooling === 'first' ? slice(all, 1, 0, 1) : reshape(gatherND(all, ends), [batch, 1, width]);
  const chosen = transformer(
    hidden,
    config,
    plainArithmetic(inner, config),
    pooled,
    masks[attention](),
    prefix,
  );
  const row = reshape(normalized(chosen, inner, 'final_layer_norm', config), [batch, width]);
  const bias = projectionBias ? [parameter('text_projection.bias', [projection])] : [];
  return linear(row, parameter('text_projection.weight', [projection, width]), ...bias);
}

/**
 * What later positions need of the tokens with which all texts begin, such as the start of text. Computed once, it saves
 * these positions in every row. Exact, because the tower is causal.
 * @param ids [1, prefix], int64
 */
export function textPrefix(ids: Value, config: TextConfig, parameter: Parameter): Prefix {
  const inner: Parameter = (name, shape) => parameter(`text_model.${name}`, shape);
  const positions = sizeAt(ids, 1);
  const places = placesOf(config, 0, positions);
  const hidden = add(tokenEmbeddings(ids, config, inner), positionEmbeddings(places, config, inner));
  const mask = hideAfter(places, reshape(places, [1, 1, positions, 1]));
  return prefixOf(hidden, config, plainArithmetic(inner, config), mask);
}

function tokenEmbeddings(ids: Value, { vocabulary, width }: TextConfig, parameter: Parameter): Value {
  return gather(parameter('embeddings.token_embedding.weight', [vocabulary, width]), ids);
}

function positionEmbeddings(places: Value, { positions, width }: TextConfig, parameter: Parameter): Value {
  return gather(parameter('embeddings.position_embedding.weight', [positions, width]), places);
}

/** first, first + 1, …: as many as `count`. */
function placesOf({ positions }: TextConfig, first: Dimension, count: Dimension): Value {
  return slice(integers([...Array(positions).keys()]), 0, first, plus(first, count));
}

/** Attention mask: nearly minus infinity for keys after the query's position. [?, 1, ?, positions] */
function hideAfter(places: Value, queries: Value): Value {
  const lowest = -3.4028234663852886e38; // the least float32, as in transformers
  return where(greater(places, queries), constant(lowest), constant(0));
}
