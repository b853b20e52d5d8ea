/** What goes into a tower's products, channel by channel, when it encodes pictures in float32. */

import type { Float32Tensor } from '../../core/index.ts';
import {
  constant,
  mul,
  type RunTensor,
  reduceMax,
  reduceMean,
  reduceSum,
  reshape,
  Session,
  type SessionOptions,
  sizeAt,
  sizeOf,
  sub,
  type Value,
} from '../../onnx/index.ts';
import type { VisionConfig } from '../config.ts';
import { type Arithmetic, type Parameter, plainArithmetic } from '../transformer.ts';
import { visionInput, visionParameter, visionTower } from '../vision-tower.ts';

/** Of each channel of an input. */
export interface InputStatistics {
  readonly least: Float32Array;
  readonly largest: Float32Array;
  readonly mean: Float32Array;
  /** Mean of squares. */
  readonly square: Float32Array;
}

export interface TowerStatistics {
  readonly embeddings: Float32Tensor;
  /** The input of a product, by its name, such as `encoder.layers.0.mlp.fc1`. */
  readonly inputs: ReadonlyMap<string, InputStatistics>;
  /** How much a product's result varies: the variances of its channels, added up. */
  readonly variances: ReadonlyMap<string, number>;
}

/** Runs the tower in float32, and frees it again. */
export async function towerStatistics(
  config: VisionConfig,
  parameter: Parameter,
  pixels: RunTensor,
  options: SessionOptions,
): Promise<TowerStatistics> {
  const outputs: Record<string, Value> = {};
  const names = new Map<string, string>(); // of products, to the first with the same input
  const seen = new Map<Value, string>();
  const plain = plainArithmetic(visionParameter(parameter), config);
  const observed: Arithmetic = {
    norm: plain.norm,
    product: (x, name, to, hasBias) => {
      const y = plain.product(x, name, to, hasBias);
      if (!seen.has(x)) {
        seen.set(x, name);
        const rows = asRows(x);
        outputs[`${name}:least`] = reduceMax(mul(rows, constant(-1)), [0]);
        outputs[`${name}:largest`] = reduceMax(rows, [0]);
        outputs[`${name}:mean`] = reduceMean(rows, [0]);
        outputs[`${name}:square`] = reduceMean(mul(rows, rows), [0]);
      }
      names.set(name, seen.get(x)!);
      const results = asRows(y);
      const deviations = sub(results, reduceMean(results, [0], true));
      outputs[`${name}:variance`] = reduceSum(reduceMean(mul(deviations, deviations), [0]), [0]);
      return y;
    },
  };
  outputs.embeddings = visionTower(visionInput(config), config, parameter, observed);
  const session = await Session.create(outputs, options);
  const found = await session.run({ pixels });
  await session.dispose();
  const of = (name: string, statistic: string): Float32Array => found[`${name}:${statistic}`]!.data;
  return {
    embeddings: found.embeddings!,
    inputs: new Map(
      Array.from(names, ([name, first]) => [
        name,
        {
          least: of(first, 'least').map((value) => -value),
          largest: of(first, 'largest'),
          mean: of(first, 'mean'),
          square: of(first, 'square'),
        },
      ]),
    ),
    variances: new Map(Array.from(names.keys(), (name) => [name, of(name, 'variance')[0]!])),
  };
}

/** [..., width] to [rows, width] */
function asRows(x: Value): Value {
  return reshape(x, [sizeOf(x.shape.slice(0, -1)), sizeAt(x, -1)]);
}
