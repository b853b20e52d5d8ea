/** What of an image the vision tower sees: padded, resized and cropped. */

import type { RgbImage } from './image.ts';
import { uprightSize } from './orientation.ts';
import { type AxisPlan, type ResampleFilter, resample } from './resample.ts';

export interface Extent {
  readonly height: number;
  readonly width: number;
}

/** Plain data: it goes to other processes. */
export interface Window {
  /** What to resize to: the short side, keeping proportions, or both sides. Absent: no resizing. */
  readonly resize?: { readonly shortSide: number } | Extent;
  readonly filter: ResampleFilter;
  /** Size of the centre crop; pixels past the image's border are black. Every result has this size. */
  readonly crop: Extent;
  /**
   * Where the crop begins if an odd number of pixels is left over. Absent: at the smaller place, as in transformers. `even`: at
   * the even one, as in torchvision, which OpenAI's code and OpenCLIP use.
   */
  readonly oddMargin?: 'even';
  /** The ratio of the sides beyond which black is added before everything else; Infinity: never. */
  readonly targetPad: number;
  /** The image as it is stored, whatever its file says about turning it. */
  readonly isStored: boolean;
}

/** The window's pixels: upright, unless it is as stored. */
export function windowOf(image: RgbImage, window: Window): RgbImage {
  const { resize, filter, crop, oddMargin, targetPad, isStored } = window;
  const { data, width, height } = image;
  const turned = isStored ? { data, width, height } : image;
  const size = uprightSize(turned);
  const canvas = padded(size, targetPad);
  const resized = resizedExtent(canvas, resize);
  const across = planAxis(size.width, canvas.width, resized.width, crop.width, oddMargin);
  const down = planAxis(size.height, canvas.height, resized.height, crop.height, oddMargin);
  return { ...resample(turned, across, down, filter), whole: size };
}

/** The black canvas that brings a too long or too tall image to `ratio`. */
function padded({ width, height }: Extent, ratio: number): Extent {
  const border = (side: number) => Math.max(0, Math.trunc((Math.max(width, height) / ratio - side) / 2)); // on both ends
  return { width: width + 2 * border(width), height: height + 2 * border(height) };
}

function resizedExtent({ width, height }: Extent, resize: Window['resize']): Extent {
  if (resize === undefined) return { width, height };
  if (!('shortSide' in resize)) return resize;
  const { shortSide } = resize;
  const longSide = Math.trunc((shortSide * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: shortSide, height: longSide } : { width: longSide, height: shortSide };
}

function planAxis(
  image: number,
  canvas: number,
  resized: number,
  length: number,
  oddMargin: Window['oddMargin'],
): AxisPlan {
  const smaller = Math.floor((resized - length) / 2);
  const isBetween = (resized - length) % 2 !== 0;
  const start = oddMargin === 'even' && isBetween ? smaller + Math.abs(smaller % 2) : smaller;
  return { canvas, offset: (canvas - image) / 2, resized, start, length };
}
