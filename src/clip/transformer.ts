/** The pre-norm transformer that both of CLIP's towers are made of (Radford et al., 2021, section 2.4). */

import { LincirError, type StoredTensor } from '../core/index.ts';
import {
  add,
  asFloat32,
  formatShape,
  gelu,
  layerNorm,
  linear,
  multiHeadAttention,
  quickGelu,
  sameShape,
  type Value,
} from '../onnx/index.ts';
import type { TowerConfig } from './config.ts';

/** Gives the parameter of a name as float32, in the shape that the config says it has. */
export type Parameter = (name: string, shape: readonly number[]) => Value;

/** The parameters of a checkpoint, left where they lie. */
export function parametersOf(tensors: ReadonlyMap<string, StoredTensor>): Parameter {
  return (name, shape) => {
    const stored = tensors.get(name);
    if (!stored) {
      const [anyTensor] = tensors.values();
      throw new LincirError('bad-file', {
        subject: anyTensor?.file ?? 'weights',
        expected: `a tensor ${name}`,
        found: `${tensors.size} tensors, none of that name`,
        todo: 'choose a folder whose config.json and weights are of one model',
      });
    }
    if (!sameShape(stored.shape, shape)) {
      throw new LincirError('bad-file', {
        subject: `${stored.file}: tensor ${name}`,
        expected: `shape ${formatShape(shape)}, as config.json says`,
        found: formatShape(stored.shape),
      });
    }
    return asFloat32(stored);
  };
}

/** x normalised by the layer norm at `name`. */
export function normalized(
  x: Value,
  parameter: Parameter,
  name: string,
  { width, epsilon }: TowerConfig,
): Value {
  return layerNorm(x, parameter(`${name}.weight`, [width]), parameter(`${name}.bias`, [width]), epsilon);
}

/**
 * All layers, the last of them for chosen positions only: nothing later reads the others.
 * @param x hidden states [batch, positions, width]
 * @param choose picks the rows that are wanted: [batch, positions, width] to [batch, chosen, width]
 * @param masks added to attention scores: `all` for every position's queries, `chosen` for those of the last layer
 * @returns [batch, chosen, width]
 */
export function transformer(
  x: Value,
  config: TowerConfig,
  parameter: Parameter,
  choose: (hidden: Value) => Value,
  masks: { readonly all?: Value; readonly chosen?: Value } = {},
): Value {
  let hidden = x;
  for (let index = 0; index < config.layers - 1; index++) {
    hidden = layer(hidden, hidden, config, below(parameter, index), masks.all);
  }
  return layer(choose(hidden), hidden, config, below(parameter, config.layers - 1), masks.chosen);
}

/** One layer: `rows` attend to `hidden`, then pass the feed-forward network. */
function layer(rows: Value, hidden: Value, config: TowerConfig, parameter: Parameter, mask?: Value): Value {
  const { width, heads, feedForward, activation } = config;
  const project = (value: Value, name: string, from: number, to: number): Value =>
    linear(value, parameter(`${name}.weight`, [to, from]), parameter(`${name}.bias`, [to]));
  const attend = (value: Value, name: string): Value => project(value, `self_attn.${name}`, width, width);

  const keys = normalized(hidden, parameter, 'layer_norm1', config);
  const queries = rows === hidden ? keys : normalized(rows, parameter, 'layer_norm1', config);
  const context = multiHeadAttention(
    [attend(queries, 'q_proj'), attend(keys, 'k_proj'), attend(keys, 'v_proj'), mask],
    heads,
    1 / Math.sqrt(width / heads),
  );
  const attended = add(rows, attend(context, 'out_proj'));

  const inner = project(
    normalized(attended, parameter, 'layer_norm2', config),
    'mlp.fc1',
    width,
    feedForward,
  );
  const activated = activation === 'gelu' ? gelu(inner) : quickGelu(inner);
  return add(attended, project(activated, 'mlp.fc2', feedForward, width));
}

function below(parameter: Parameter, index: number): Parameter {
  return (name, shape) => parameter(`encoder.layers.${index}.${name}`, shape);
}
