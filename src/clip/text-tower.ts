/** The text tower with its projection, as a graph. Given vectors may replace tokens of a caption. */

import {
  add,
  dimensions,
  gatherND,
  input,
  linear,
  plus,
  reshape,
  sizeAt,
  slice,
  type Value,
} from '../onnx/index.ts';
import { bertTower } from './bert-tower.ts';
import { isCausal, type TextConfig } from './config.ts';
import {
  hideAfter,
  hideAfterEnd,
  injectedTokens,
  placesOf,
  positionEmbeddings,
  type TextInputs,
  tokenEmbeddings,
} from './text-inputs.ts';
import {
  normalized,
  type Parameter,
  type Prefix,
  plainArithmetic,
  prefixOf,
  transformer,
} from './transformer.ts';

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
 * `pooler_output` of SiglipTextModel and of ChineseCLIPModel's `get_text_features`.
 * @param prefix of token ids with which every row begins. Then `inputs` are without these, and positions count from the
 * first one after them
 * @returns [batch, projection]
 */
export function textTower(
  inputs: TextInputs,
  config: TextConfig,
  parameter: Parameter,
  prefix?: Prefix,
): Value {
  if (config.kind === 'bert') return bertTower(inputs, config, parameter);
  const { ids, ends } = inputs;
  const { width, projection, attention = 'causal', pooling, projectionBias } = config;
  const [batch, positions] = [sizeAt(ids, 0), sizeAt(ids, 1)];
  const before = prefix ? sizeAt(prefix.keys, 1) : 0;
  const inner: Parameter = (name, shape) => parameter(`text_model.${name}`, shape);

  const tokens = injectedTokens(inputs, config, inner); // [batch, positions, width]
  const places = placesOf(config, before, positions);
  const hidden = add(tokens, positionEmbeddings(places, config, inner));

  const end = add(reshape(slice(ends, 1, 1, 2), [batch, 1, 1, 1]), dimensions([before]));
  const keys = prefix ? placesOf(config, 0, plus(before, positions)) : places;
  const masks = {
    causal: () => {
      return { all: hideAfter(keys, reshape(places, [1, 1, positions, 1])), chosen: hideAfter(keys, end) };
    },
    toEnd: () => ({ all: hideAfterEnd(places, ends, positions), chosen: hideAfterEnd(places, ends, 1) }),
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
