/** phi: the network that turns a CLIP embedding into a pseudo token. Its shapes and its graph. */

import type { TextConfig } from '../clip/index.ts';
import { elementCount, type Float32Tensor, uniforms } from '../core/index.ts';
import * as onnx from '../onnx/index.ts';
import { architectures, type PhiArchitecture } from './choices.ts';

export interface PhiShape {
  readonly architecture: PhiArchitecture;
  /** Dimensions of CLIP's embeddings. */
  readonly input: number;
  /** Width of both hidden layers. */
  readonly hidden: number;
  /** Width of the text tower: dimensions of a pseudo token. */
  readonly output: number;
}

/** Largest width of embeddings, hidden layers and tokens. The largest CLIP's phi has 5,120. */
export const widthLimit = 8192;

/** By name, as the published files have them: `layers.0.weight` [out, in], `layers.0.bias` [out], … */
export type PhiParameters = ReadonlyMap<string, Float32Tensor>;

/** The shape of an architecture's phi for a text tower. */
export function phiShape(architecture: PhiArchitecture, { projection, width }: TextConfig): PhiShape {
  const hidden = architectures[architecture].hidden(projection);
  return { architecture, input: projection, hidden, output: width };
}

/** The dropout that an architecture was published with. */
export function defaultDropout(architecture: PhiArchitecture): number {
  return architectures[architecture].dropout;
}

/** Names and shapes of the parameters, from the input on: weights [out, in] and biases [out]. */
export function phiParameterShapes({
  architecture,
  input,
  hidden,
  output,
}: PhiShape): ReadonlyMap<string, readonly number[]> {
  const widths = [input, hidden, hidden, output];
  return new Map(
    architectures[architecture].layers.flatMap((name, index): [string, readonly number[]][] => [
      [`${name}.weight`, [widths[index + 1]!, widths[index]!]],
      [`${name}.bias`, [widths[index + 1]!]],
    ]),
  );
}

/**
 * Initial parameters, as PyTorch initialises a Linear: uniform within ±1/sqrt(inputs), for weights and biases alike
 * (Kaiming uniform with a = sqrt 5).
 */
export function initialPhi(shape: PhiShape, seed: number): PhiParameters {
  let fanIn = shape.input;
  return new Map(
    [...phiParameterShapes(shape)].map(([name, sizes], index) => {
      if (sizes.length === 2) fanIn = sizes[1]!; // a bias follows its weight
      const bound = 1 / Math.sqrt(fanIn);
      const stream = { seed, purpose: 'initialization', moment: 0, row: index } as const;
      const data = uniforms(stream, elementCount(sizes)).map((u) => (2 * u - 1) * bound);
      return [name, { shape: sizes, data }];
    }),
  );
}

/** Applies phi: embeddings [rows, input] to pseudo tokens [rows, output]. */
export function phiGraph(
  embeddings: onnx.Value,
  shape: PhiShape,
  parameters: ReadonlyMap<string, onnx.Value>,
): onnx.Value {
  return phiLayers(shape, parameters).reduce((x, { linear, activate }) => linear(activate(x)), embeddings);
}

/**
 * phi's layers. Each is an activation, which the first does without, and what is linear.
 * @param masks for training, one per hidden layer, [rows, hidden]: 0 where dropout drops, else 1 / (1 - dropout)
 */
export function phiLayers(
  { architecture }: PhiShape,
  parameters: ReadonlyMap<string, onnx.Value>,
  masks: readonly onnx.Value[] = [],
) {
  const { layers, activate } = architectures[architecture];
  return layers.map((name, index) => {
    const mask = masks[index - 1];
    const drop = (x: onnx.Value) => (mask ? onnx.mul(x, mask) : x);
    const names = [`${name}.weight`, `${name}.bias`] as const;
    const [weight, bias] = names.map((parameter) => parameters.get(parameter)!);
    return {
      names,
      activate: (x: onnx.Value) => (index === 0 ? x : activate(onnx, x, drop)),
      linear: (x: onnx.Value) => onnx.linear(x, weight!, bias),
    };
  });
}
