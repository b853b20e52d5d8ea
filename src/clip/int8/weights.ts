/** Weights of 8 bits, in memory, where the engine reads them. */

import type { Float32Tensor, RandomAccess } from '../../core/index.ts';
import { constant, weight as storedWeight, type Value } from '../../onnx/index.ts';
import { type InputScales, stepsOf } from './scales.ts';

/** What a product of 8 bits takes besides its input. */
export interface EightBitWeights {
  /** int8 [in, out] */
  readonly weights: Value;
  /** [out] */
  readonly steps: Value;
  readonly bias: Value;
}

/** Outputs that are written together, because they lie side by side. */
const together = 64;

/**
 * Rounds weights [out, in] whose input is on a grid, and takes the input's shift into the bias.
 * @param mean of the input: what rounding adds to it on average is taken from the bias
 */
export function eightBitWeights(
  name: string,
  weight: Float32Tensor,
  bias: Float32Tensor,
  scales: InputScales,
  mean: Float32Array,
): EightBitWeights {
  const { shift, scale } = scales;
  const [outputs, inputs] = weight.shape as [number, number];
  const { data } = weight;
  const steps = stepsOf(weight, scales);
  const bytes = new Int8Array(inputs * outputs);
  const biases = Float64Array.from(bias.data);
  const inverses = Float64Array.from(steps, (step) => 1 / step);
  for (let first = 0; first < outputs; first += together) {
    const end = Math.min(first + together, outputs);
    for (let k = 0; k < inputs; k++) {
      const unit = scale?.[k] ?? 1;
      const offset = shift?.[k] ?? 0;
      const centre = mean[k]! - offset;
      const perStep = centre / unit;
      for (let row = first, at = first * inputs + k; row < end; row++, at += inputs) {
        const exact = data[at]!;
        const whole = Math.round(exact * unit * inverses[row]!);
        bytes[k * outputs + row] = whole;
        biases[row]! += exact * (offset + centre) - whole * steps[row]! * perStep;
      }
    }
  }
  const source = memory(name, new Uint8Array(bytes.buffer));
  const shape = [inputs, outputs];
  const stored = { name, type: 'int8', shape, source, offset: 0, byteLength: bytes.length } as const;
  return {
    weights: storedWeight(stored),
    steps: constant(steps, [outputs]),
    bias: constant(Float32Array.from(biases), [outputs]),
  };
}

/** Bytes in memory that are only read whole: without a copy. */
function memory(name: string, bytes: Uint8Array<ArrayBuffer>): RandomAccess {
  return { name, size: bytes.length, read: async () => bytes };
}
