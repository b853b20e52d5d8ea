/** Chooses how the input of products is written with 8 bits, so that they lose as little as possible. */

import type { Float32Tensor } from '../../core/index.ts';
import type { EightBitGrid } from '../../onnx/index.ts';
import type { InputStatistics } from './statistics.ts';

/** An input becomes (x - shift) / scale on a grid. */
export interface InputScales {
  /** Of each channel. Absent: zeros. */
  readonly shift?: Float32Array;
  /** Of each channel: powers of two, so that no bit is lost when they move into weights. Absent: ones. */
  readonly scale?: Float32Array;
  readonly grid: EightBitGrid;
  /** The largest size of a weight; see `weightReach`. */
  readonly reach: number;
}

/** Scales, and how good they are. */
interface RatedScales extends InputScales {
  /** What 8 bits add to the products' results, as a part of how much these vary (both are root mean squares). */
  readonly noise: number;
}

/** Weights [out, in] that the input is multiplied with, and how much the results vary. */
export interface Multiplied {
  readonly weight: Float32Tensor;
  readonly variance: number;
}

/** Room beyond what was seen: other pictures reach further. */
const headroom = 1.4;
/**
 * How much of a channel's range moves from the input into its weights (the exponent of SmoothQuant, Xiao et al., ICML 2023).
 */
const migrations = [0.35, 0.5, 0.65, 0.8];
/** Of so many outputs, one is looked at to predict noise: thousands are left. */
const sampled = 8;
/** Scales that cost a multiplication must save this much noise. */
const worthwhile = 0.8;

/**
 * The scales with the least noise, as predicted by uniform rounding errors of independent values.
 * @param isFree whether shifts and scales cost nothing, because a layer norm before the product takes them in
 */
export function chooseScales(
  statistics: InputStatistics,
  products: readonly Multiplied[],
  isFree: boolean,
  reach: number,
): RatedScales {
  const { least, largest } = statistics;
  const shift = isFree ? least.map((low, k) => rounded(low, largest[k]!)) : undefined;
  const ranges = least.map((low, k) => {
    const offset = shift?.[k] ?? 0;
    return Math.max(largest[k]! - offset, offset - low);
  });
  const columns = columnsOf(products);
  const plain = withScale(undefined);
  let best = plain;
  for (const migration of migrations) {
    const scale = scalesFor(ranges, columns.largest, migration);
    const candidate = withScale(scale);
    if (candidate.noise < best.noise) best = candidate;
  }
  return isFree || best.noise < worthwhile * plain.noise ? best : plain;

  function withScale(scale: Float32Array | undefined): RatedScales {
    const chosen = { shift, scale, grid: gridFor(statistics, shift, scale), reach };
    return { ...chosen, noise: noiseOf(statistics, chosen, products, columns.squares) };
  }
}

/** The middle of a range, on a grid of an eighth of it: coarse, so that rounding elsewhere seldom changes it. */
function rounded(low: number, high: number): number {
  if (!(high > low)) return Math.fround(low);
  const unit = 2 ** (Math.ceil(Math.log2(high - low)) - 3);
  return Math.round((low + high) / 2 / unit) * unit;
}

/** Powers of two around range^migration / weight^(1 - migration), the typical one being 1. */
function scalesFor(ranges: Float32Array, weights: Float32Array, migration: number): Float32Array {
  const logarithms = Array.from(ranges, (range, k) => {
    const [input, weight] = [Math.max(range, 1e-30), Math.max(weights[k]!, 1e-30)];
    return migration * Math.log2(input) - (1 - migration) * Math.log2(weight);
  });
  const middle = logarithms.toSorted((a, b) => a - b)[logarithms.length >> 1]!;
  return Float32Array.from(
    logarithms,
    (value) => 2 ** Math.max(-40, Math.min(40, Math.round(value - middle))),
  );
}

/** Steps are powers of the eighth root of two. */
function gridFor(
  { least, largest }: InputStatistics,
  shift: Float32Array | undefined,
  scale: Float32Array | undefined,
): EightBitGrid {
  let [low, high] = [0, 0];
  for (let k = 0; k < least.length; k++) {
    const [offset, unit] = [shift?.[k] ?? 0, scale?.[k] ?? 1];
    low = Math.min(low, (least[k]! - offset) / unit);
    high = Math.max(high, (largest[k]! - offset) / unit);
  }
  const exact = (headroom * (high - low)) / 255 || 1;
  const step = Math.fround(2 ** (Math.ceil(8 * Math.log2(exact)) / 8));
  return { step, zero: Math.min(255, Math.max(0, Math.round((-headroom * low) / step))) };
}

/** Root of noise through variance, over all products of one input. */
function noiseOf(
  { mean, square }: InputStatistics,
  scales: InputScales,
  products: readonly Multiplied[],
  columnSquares: Float64Array,
): number {
  const { shift, scale, grid } = scales;
  let [ofInput, energy] = [0, 0];
  for (let k = 0; k < mean.length; k++) {
    const [offset, unit] = [shift?.[k] ?? 0, scale?.[k] ?? 1];
    ofInput += columnSquares[k]! * unit ** 2;
    energy += Math.max(0, square[k]! - 2 * offset * mean[k]! + offset ** 2) / unit ** 2;
  }
  let ofWeights = 0;
  for (const { weight } of products) {
    const steps = stepsOf(weight, scales, sampled);
    const squares = steps.reduce((sum, step) => sum + step ** 2, 0);
    ofWeights += (energy * squares * weight.shape[0]!) / steps.length;
  }
  const variance = products.reduce((sum, product) => sum + product.variance, 0);
  return Math.sqrt((grid.step ** 2 * ofInput + ofWeights) / 12 / variance);
}

/** The step of each output's weights, or of every n-th output's. */
export function stepsOf(
  { shape, data }: Float32Tensor,
  { scale, reach }: Pick<InputScales, 'scale' | 'reach'>,
  every = 1,
): Float32Array {
  const [outputs, inputs] = shape as [number, number];
  const units = scale ?? new Float32Array(inputs).fill(1);
  const steps = new Float32Array(Math.ceil(outputs / every));
  for (let index = 0; index < steps.length; index++) {
    let largest = 0;
    for (let k = 0, at = index * every * inputs; k < inputs; k++, at++) {
      const size = Math.abs(data[at]! * units[k]!);
      if (size > largest) largest = size;
    }
    steps[index] = largest / reach || 1;
  }
  return steps;
}

/** Of each input channel's weights, over all products: the largest, and the sum of squares. */
function columnsOf(products: readonly Multiplied[]): { largest: Float32Array; squares: Float64Array } {
  const inputs = products[0]!.weight.shape[1]!;
  const [largest, squares] = [new Float32Array(inputs), new Float64Array(inputs)];
  for (const { weight } of products) {
    for (let at = 0; at < weight.data.length; ) {
      for (let k = 0; k < inputs; k++, at++) {
        const value = weight.data[at]!;
        squares[k]! += value * value;
        if (Math.abs(value) > largest[k]!) largest[k] = Math.abs(value);
      }
    }
  }
  return { largest, squares };
}
