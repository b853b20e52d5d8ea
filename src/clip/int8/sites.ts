/** Where a vision tower has products that can be rounded: those of one input go together. */

import type { VisionConfig } from '../config.ts';
import type { InputScales } from './scales.ts';

/** Products of one input. */
export interface Place {
  /** Such as `encoder.layers.0.mlp.fc1`. */
  readonly products: readonly string[];
  /** The layer norm that makes the input. */
  readonly norm: string | undefined;
  /** Channels of the input. */
  readonly width: number;
}

/** An input of products whose scales are known. */
export interface Site extends Place {
  readonly scales: InputScales;
  /** Of the input's channels. */
  readonly mean: Float32Array;
}

export function placesIn({ layers, width, feedForward, eva }: VisionConfig): Place[] {
  const gated = eva?.gated === true;
  return Array.from({ length: layers }, (_, index) => {
    const layer = `encoder.layers.${index}.`;
    const attention = `${layer}self_attn.`;
    return [
      // The first one's input has all positions in the last layer, too.
      {
        products: ['k', 'v', 'q'].map((name) => `${attention}${name}_proj`),
        norm: `${layer}layer_norm1`,
        width,
      },
      { products: [`${attention}out_proj`], norm: gated ? `${attention}layer_norm` : undefined, width },
      {
        products: (gated ? ['gate', 'fc1'] : ['fc1']).map((name) => `${layer}mlp.${name}`),
        norm: `${layer}layer_norm2`,
        width,
      },
      {
        products: [`${layer}mlp.fc2`],
        norm: gated ? `${layer}mlp.layer_norm` : undefined,
        width: feedForward,
      },
    ];
  }).flat();
}
