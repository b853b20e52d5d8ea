/** The pre-norm transformer of both towers (Radford et al., 2021, section 2.4). */

import { LincirError, type StoredTensor } from '../core/index.ts';
import {
  add,
  asFloat32,
  concat,
  expand,
  fastGelu,
  formatShape,
  gelu,
  layerNorm,
  linear,
  multiHeadAttention,
  quickGelu,
  sameShape,
  sizeAt,
  slice,
  type Value,
} from '../onnx/index.ts';
import type { TowerConfig } from './config.ts';

/** Returns a parameter by name as float32, with the config's shape. */
export type Parameter = (name: string, shape: readonly number[]) => Value;

/** Keys and values of the prefix, which is the same in every row: [layers, prefix, width] each. */
export interface Prefix {
  readonly keys: Value;
  readonly values: Value;
}

/** The parameters of a checkpoint, which stay in their files. */
export function parametersOf(tensors: ReadonlyMap<string, StoredTensor>): Parameter {
  return (name, shape) => {
    const stored = tensors.get(name);
    if (!stored) {
      const [anyTensor] = tensors.values();
      throw new LincirError('bad-file', {
        subject: anyTensor?.source.name ?? 'weights',
        expected: `a tensor ${name}`,
        found: `${tensors.size} tensors, none of that name`,
        todo: 'choose a folder whose config.json and weights are of one model',
      });
    }
    if (!sameShape(stored.shape, shape)) {
      throw new LincirError('bad-file', {
        subject: `${stored.source.name}: tensor ${name}`,
        expected: `shape ${formatShape(shape)}, as config.json says`,
        found: formatShape(stored.shape),
      });
    }
    return asFloat32(stored);
  };
}

/** What hides positions from a layer's queries, and what stands before all of them. */
interface Attended {
  readonly mask?: Value | undefined;
  readonly prefix?: Prefix | undefined;
}

/** Computes a layer's norms and products, by names such as `encoder.layers.0.mlp.fc1`. */
export interface Arithmetic {
  readonly norm: (x: Value, name: string) => Value;
  /** x W' + b over the last axis, `to` wide. `hasBias` is true unless said. */
  readonly product: (x: Value, name: string, to: number, hasBias?: boolean) => Value;
}

/** float32, with the parameters as they are. */
export function plainArithmetic(parameter: Parameter, config: TowerConfig): Arithmetic {
  return {
    norm: (x, name) => normalized(x, parameter, name, config),
    product: (x, name, to, hasBias = true) => {
      const from = Number(sizeAt(x, -1));
      const weight = parameter(`${name}.weight`, [to, from]); // first: it tells more where shapes do not fit
      return linear(x, weight, ...(hasBias ? [parameter(`${name}.bias`, [to])] : []));
    },
  };
}

/** x normalised by the layer norm at `name`. */
export function normalized(x: Value, parameter: Parameter, name: string, { epsilon }: TowerConfig): Value {
  const width = Number(sizeAt(x, -1));
  return layerNorm(x, parameter(`${name}.weight`, [width]), parameter(`${name}.bias`, [width]), epsilon);
}

/**
 * All layers. The last one only computes the chosen positions, because nothing later reads the others.
 * @param x hidden states [batch, positions, width]
 * @param choose picks the rows that are wanted: [batch, positions, width] to [batch, chosen, width]
 * @param masks added to attention scores: `all` for every position's queries, `chosen` for those of the last layer
 * @param prefix of positions that stand before those of x
 * @returns [batch, chosen, width]
 */
export function transformer(
  x: Value,
  config: TowerConfig,
  arithmetic: Arithmetic,
  choose: (hidden: Value) => Value,
  masks: { readonly all?: Value; readonly chosen?: Value } = {},
  prefix?: Prefix,
): Value {
  let hidden = x;
  for (let index = 0; index < config.layers - 1; index++) {
    const attention = { mask: masks.all, prefix: prefix && layerOf(prefix, index) };
    hidden = layer(hidden, hidden, config, inLayer(arithmetic, index), attention);
  }
  const last = config.layers - 1;
  const attention = { mask: masks.chosen, prefix: prefix && layerOf(prefix, last) };
  return layer(choose(hidden), hidden, config, inLayer(arithmetic, last), attention);
}

/** The keys and values of every position in every layer, for a batch of one: the prefix of `transformer`. */
export function prefixOf(x: Value, config: TowerConfig, arithmetic: Arithmetic, mask: Value): Prefix {
  const keys: Value[] = [];
  const values: Value[] = [];
  let hidden = x;
  for (let index = 0; index < config.layers; index++) {
    const own = inLayer(arithmetic, index);
    const attended = keysAndValues(own.norm(hidden, 'layer_norm1'), config, own.product);
    keys.push(attended.keys);
    values.push(attended.values);
    if (index < config.layers - 1) hidden = layer(hidden, hidden, config, own, { mask });
  }
  return { keys: concat(keys, 0), values: concat(values, 0) };
}

/** One layer: `rows` attend to `hidden` and the prefix, then pass the feed-forward network. */
function layer(
  rows: Value,
  hidden: Value,
  config: TowerConfig,
  { norm, product }: Arithmetic,
  attended: Attended,
): Value {
  const all = norm(hidden, 'layer_norm1');
  const queries = rows === hidden ? all : norm(rows, 'layer_norm1');
  const between = add(rows, attention(queries, all, config, product, attended));

  return add(between, feedForward(norm(between, 'layer_norm2'), config, product));
}

/** Multi-head attention of `rows` to `hidden` and the prefix, at `self_attn`. */
export function attention(
  rows: Value,
  hidden: Value,
  config: TowerConfig,
  product: Arithmetic['product'],
  { mask, prefix }: Attended,
): Value {
  const { width, heads } = config;
  const { keys, values } = keysAndValues(hidden, config, product);
  const context = multiHeadAttention(
    [
      product(rows, 'self_attn.q_proj', width),
      prefix ? behind(prefix.keys, keys) : keys,
      prefix ? behind(prefix.values, values) : values,
      mask,
    ],
    heads,
    1 / Math.sqrt(width / heads),
  );
  return product(context, 'self_attn.out_proj', width);
}

const activations = { quick_gelu: (x: Value) => quickGelu(x), gelu, gelu_tanh: fastGelu };

/** The feed-forward network, at `mlp`. */
export function feedForward(
  x: Value,
  { width, feedForward: between, activation }: TowerConfig,
  product: Arithmetic['product'],
): Value {
  return product(activations[activation](product(x, 'mlp.fc1', between)), 'mlp.fc2', width);
}

function keysAndValues(x: Value, { width }: TowerConfig, product: Arithmetic['product']): Prefix {
  return {
    keys: product(x, 'self_attn.k_proj', width),
    values: product(x, 'self_attn.v_proj', width),
  };
}

function layerOf({ keys, values }: Prefix, index: number): Prefix {
  return { keys: slice(keys, 0, index, index + 1), values: slice(values, 0, index, index + 1) };
}

/** [1, prefix, width] before every row of [batch, positions, width] */
function behind(prefix: Value, x: Value): Value {
  return concat([expand(prefix, [sizeAt(x, 0), sizeAt(prefix, 1), sizeAt(x, 2)]), x], 1);
}

/** The arithmetic of one layer. */
export function inLayer({ norm, product }: Arithmetic, index: number): Arithmetic {
  const path = `encoder.layers.${index}.`;
  return {
    norm: (x, name) => norm(x, path + name),
    product: (x, name, to, hasBias) => product(x, path + name, to, hasBias),
  };
}
