/** The contract of what can be embedded: images (pictures.ts) and texts (texts.ts). */

import type { Clip } from '../../clip/index.ts';
import type { Float32Tensor } from '../../core/index.ts';
import type { LeftOut } from '../../pictures/index.ts';
import type { PartialWork } from './partial-work.ts';

/** Items with names: images' paths, or the texts themselves. */
export interface Input {
  readonly kind: 'images' | 'texts';
  /** Files that look like images and are not taken, by ending. */
  readonly leftOut?: LeftOut;
  /** All names, read once. Throws for items that are unusable, as far as that shows before work begins. */
  names(clip: Clip): Iterable<string> | AsyncIterable<string>;
  /** Embeddings of the names that `work` still lacks, in order: [some, dimensions] at a time. */
  batches(clip: Clip, work: PartialWork, options: BatchOptions): AsyncIterable<Float32Tensor>;
}

export interface BatchOptions {
  readonly normalize: boolean;
}
