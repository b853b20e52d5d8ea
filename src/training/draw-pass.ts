/** The random part of a training step's pass: noise and dropout. */

import { dropoutMask, normals, uniforms } from '../core/index.ts';
import type { StepNoise } from './step.ts';

export interface DrawOptions {
  readonly seed: number;
  /** Captions of a pass. */
  readonly batch: number;
  /** Passes of a step. */
  readonly passes: number;
  readonly input: number;
  readonly hidden: number;
  /** Strength of the noise. */
  readonly noise: number;
  /** The part of hidden values that is dropped. */
  readonly dropout: number;
}

/** Which pass: counted from 0, of a step counted from 1. */
export interface PassRequest {
  readonly step: number;
  readonly pass: number;
}

/** A request with arrays that are no longer needed, for its answer. */
export interface DrawRequest extends PassRequest {
  readonly used: Draws | undefined;
}

/** Arrays that threads can hand to each other. */
export interface Draws extends StepNoise {
  readonly noise: Float32Array<ArrayBuffer>;
  readonly masks: readonly [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
}

/** The random part of one pass. It depends on the seed and its place, and on no earlier draws. */
export function drawPass(
  { seed, batch, input, hidden, noise, dropout }: DrawOptions,
  { step, pass }: PassRequest,
  into: Draws = {
    noise: new Float32Array(batch * input),
    masks: [new Float32Array(batch * hidden), new Float32Array(batch * hidden)],
  },
): Draws {
  const stream = { seed, moment: step };
  for (let at = 0; at < batch; at += 1) {
    const row = pass * batch + at;
    const [scale] = uniforms({ ...stream, purpose: 'noise-scale', row }, 1);
    const values = normals({ ...stream, purpose: 'noise', row }, input);
    for (let index = 0; index < input; index += 1) values[index]! *= noise * scale!;
    into.noise.set(values, at * input);
    for (const [layer, mask] of into.masks.entries()) {
      const ofRow = mask.subarray(at * hidden, (at + 1) * hidden);
      dropoutMask({ ...stream, purpose: 'dropout', row: 2 * row + layer }, dropout, ofRow);
    }
  }
  return into;
}
