/** Regions of pictures, as benchmarks cut them out: a box, what lies outside of a mask, and how it becomes a square. */

/** A box in pixels of the upright picture; what lies past the picture's edges is clamped away. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What is seen of a picture. Plain data: it goes to other threads. */
export interface Region {
  readonly box: Box;
  /** Pixels outside become white. COCO's segmentations: polygons [x, y, x, y, …], or runs down the columns, outside first. */
  readonly mask?:
    | { readonly polygons: readonly (readonly number[])[] }
    | { readonly runs: readonly number[]; readonly height: number; readonly width: number };
  /** `pad`: with black, centred, before CLIP's preprocessing. `squash`: resized to the tower's square, without a crop. */
  readonly square: 'pad' | 'squash';
}
