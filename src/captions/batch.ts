/** A run's batches: captions by their place in the endless order, masked and tokenized. */

import { sequence } from '../core/index.ts';
import { type CaptionPlace, captionOrder, type WeightedSource } from './order.ts';
import type { PreparedCaption } from './preparation.ts';

/** Captions of a run's endless order, in that order. */
export interface CaptionBatch {
  /** The captions' numbers, which count through the sources. */
  readonly numbers: readonly number[];
  readonly captions: readonly string[];
  readonly prepared: readonly PreparedCaption[];
}

/** Which captions: counted from 0 over all epochs. */
export interface BatchRequest {
  readonly first: number;
  readonly count: number;
}

interface BatchParts {
  readonly sources: readonly WeightedSource[];
  readonly seed: number;
  readonly read: (places: readonly CaptionPlace[]) => Promise<readonly string[]>;
  readonly prepare: (caption: string, random: () => number) => PreparedCaption;
}

/** What makes batches. Each depends only on the parts and its place. */
export function captionBatches({ sources, seed, read, prepare }: BatchParts) {
  const order = captionOrder(sources, seed);
  const starts = [0];
  for (const { captions } of sources) starts.push(starts.at(-1)! + captions);
  return async ({ first, count }: BatchRequest): Promise<CaptionBatch> => {
    const places = order.places(first, count);
    const captions = await read(places);
    const prepared = captions.map((caption, at) =>
      prepare(caption, sequence({ seed, purpose: 'masking', moment: first + at, row: 0 })),
    );
    return { numbers: places.map(({ source, index }) => starts[source]! + index), captions, prepared };
  };
}
