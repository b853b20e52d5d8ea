/** BERT as a text tower: normalises after it adds, and lets every position of a text see all others (Devlin et al., 2019). */

import {
  add,
  cast,
  constant,
  div,
  gelu,
  greater,
  linear,
  matmul,
  reshape,
  sizeAt,
  slice,
  type Value,
  where,
} from '../onnx/index.ts';
import type { TextConfig } from './config.ts';
import {
  hideAfterEnd,
  injectedTokens,
  placesOf,
  positionEmbeddings,
  type TextInputs,
} from './text-inputs.ts';
import {
  type Arithmetic,
  attention,
  feedForward,
  inLayer,
  normalized,
  type Parameter,
  plainArithmetic,
} from './transformer.ts';

/**
 * The projected, un-normalised embedding of every row. Padding after a row's end is hidden, so it changes nothing.
 * @param inputs `ends`: every row's last token
 * @returns [batch, projection]
 */
export function bertTower(inputs: TextInputs, config: TextConfig, parameter: Parameter): Value {
  const { width, layers } = config;
  const [batch, positions] = [sizeAt(inputs.ids, 0), sizeAt(inputs.ids, 1)];
  const inner: Parameter = (name, shape) => parameter(`text_model.${name}`, shape);
  const arithmetic = plainArithmetic(inner, config);

  const places = placesOf(config, 0, positions);
  const type = inner('embeddings.token_type_embedding.weight', [1, width]); // all tokens are of the first type
  const tokens = add(injectedTokens(inputs, config, inner), type);
  let hidden = normalized(
    add(tokens, positionEmbeddings(places, config, inner)),
    inner,
    'embeddings.layer_norm',
    config,
  ); // [batch, positions, width]

  const mask = hideAfterEnd(places, inputs.ends, positions);
  for (let index = 0; index < layers - 1; index++) {
    hidden = layer(hidden, hidden, config, inLayer(arithmetic, index), mask);
  }
  // Nothing reads the last layer's other positions.
  const own = inLayer(arithmetic, layers - 1);
  if (config.pooling === 'first') {
    const last = layer(slice(hidden, 1, 0, 1), hidden, config, own, hideAfterEnd(places, inputs.ends, 1));
    return projected(reshape(last, [batch, width]), config, parameter);
  }
  const mean = meanUpTo(inputs.ends, places, layer(hidden, hidden, config, own, mask), width);
  return projected(mean, config, parameter);
}

/** One layer: `rows` attend to `hidden`, then pass the feed-forward network. */
function layer(
  rows: Value,
  hidden: Value,
  config: TextConfig,
  { norm, product }: Arithmetic,
  mask: Value,
): Value {
  const attended = norm(add(rows, attention(rows, hidden, config, product, { mask })), 'layer_norm1');
  return norm(add(attended, feedForward(attended, config, product)), 'layer_norm2');
}

/** The mean of every row's positions up to its end: [batch, positions, width] to [batch, width]. */
function meanUpTo(ends: Value, places: Value, hidden: Value, width: number): Value {
  const end = slice(ends, 1, 1, 2); // [batch, 1]
  const [batch, positions] = [sizeAt(hidden, 0), sizeAt(hidden, 1)];
  const counts = where(greater(places, end), constant(0), constant(1)); // [batch, positions]
  // A product, because a sum's order would depend on the number of rows.
  const sum = matmul(reshape(counts, [batch, 1, positions]), hidden);
  return div(reshape(sum, [batch, width]), add(cast(end, 'float32'), constant(1)));
}

function projected(row: Value, config: TextConfig, parameter: Parameter): Value {
  const { width, projection, projectionBetween: between } = config;
  if (between === undefined) return linear(row, parameter('text_projection.weight', [projection, width]));
  const hidden = gelu(linear(row, parameter('text_projection.fc1.weight', [between, width])));
  return linear(hidden, parameter('text_projection.fc2.weight', [projection, between]));
}
