/** Cuts regions out of images, as benchmarks do: by a box, a mask, and a way to make a square. */

import { type ImagePreprocessing, type PreprocessOptions, preprocessImage } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import { decodeImage } from '../decoding/index.ts';
import { defaultMaxPixels, type ImageSource, type RgbImage } from '../pixels/index.ts';

/** A box in the pixels as the file stores them, before EXIF turns them. It is clamped to the image. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The visible region of an image. Plain data, because it goes to other threads. */
export interface Region {
  readonly box: Box;
  /** Pixels outside become white. As in COCO's segmentations: polygons [x, y, x, y, …], or runs down the columns, outside first. */
  readonly mask?:
    | { readonly polygons: readonly (readonly number[])[] }
    | { readonly runs: readonly number[]; readonly height: number; readonly width: number };
  /** `pad`: pads with black, centred, before CLIP's preprocessing. `squash`: resizes to the tower's square, without a crop. */
  readonly square: 'pad' | 'squash';
}

/**
 * The region's stored pixels. The box's edges are rounded to whole pixels, halves to even ones, as Pillow's `Image.crop`
 * does. A pixel is inside a mask if its centre is in one of the polygons (each by the even-odd rule, as in COCO's masks;
 * single pixels along an edge may differ). `pad` gives a square. `squash` keeps the cut's sides: resize it without keeping
 * its proportions.
 * @param name the image's name in errors
 * @throws LincirError 'bad-file' if the box is outside the image, or if the runs belong to another size
 */
export function cutRegion(image: RgbImage, { box, mask, square }: Region, name = 'image'): RgbImage {
  const left = clamped(box.left, image.width);
  const top = clamped(box.top, image.height);
  const width = clamped(box.right, image.width) - left;
  const height = clamped(box.bottom, image.height) - top;
  if (!(width > 0 && height > 0)) {
    throw new LincirError('bad-file', {
      subject: name,
      expected: `a box among its ${image.width} x ${image.height} pixels`,
      found: `${box.left}, ${box.top} to ${box.right}, ${box.bottom}`,
      todo: 'check that the image is the one that the annotations are of',
    });
  }
  const frame: Frame = { left, top, width, height };
  const inside =
    mask && ('runs' in mask ? runsInside(mask, image, frame, name) : polygonsInside(mask, frame));
  const margin = (side: number) => (square === 'pad' ? Math.floor((Math.max(width, height) - side) / 2) : 0);
  const canvas =
    square === 'pad'
      ? { width: Math.max(width, height), height: Math.max(width, height) }
      : { width, height };
  const data = new Uint8Array(canvas.width * canvas.height * 3); // black
  for (let y = 0; y < height; y += 1) {
    const from = ((top + y) * image.width + left) * 3;
    const to = ((y + margin(height)) * canvas.width + margin(width)) * 3;
    data.set(image.data.subarray(from, from + width * 3), to);
    if (inside === undefined) continue;
    for (let x = 0; x < width; x += 1) {
      if (inside[y * width + x] === 0) data.fill(255, to + x * 3, to + x * 3 + 3);
    }
  }
  return { data, ...canvas };
}

/**
 * A region for the vision tower: float32 [3, height, width]. `targetPad` does not apply, because it is a square.
 * @throws LincirError as `preprocessImage` and `cutRegion` do
 */
export async function preprocessRegion(
  source: ImageSource,
  region: Region,
  preprocessing: ImagePreprocessing,
  { targetPad: _, isStored: __, ...options }: PreprocessOptions = {},
): Promise<Float32Array> {
  const { name = typeof source === 'string' ? source : 'image', maxPixels = defaultMaxPixels } = options;
  const cut = cutRegion(await decodeImage(source, name, maxPixels), region, name);
  const steps = region.square === 'squash' ? { ...preprocessing, resize: preprocessing.crop } : preprocessing;
  return await preprocessImage(cut, steps, options);
}

/** The cut's position in the image, in whole pixels. */
interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function clamped(edge: number, side: number): number {
  const below = Math.floor(edge);
  const rest = edge - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  return Math.min(Math.max(isUp ? below + 1 : below, 0), side);
}

/** [height, width] of the frame: 1 inside. */
function polygonsInside(
  { polygons }: { polygons: readonly (readonly number[])[] },
  frame: Frame,
): Uint8Array {
  const inside = new Uint8Array(frame.width * frame.height);
  for (const polygon of polygons) {
    for (let y = 0; y < frame.height; y += 1) {
      const crossings = crossingsAt(polygon, frame.top + y + 0.5);
      for (let at = 0; at + 1 < crossings.length; at += 2) {
        const [begin, end] = crossings.slice(at, at + 2).map((x) => column(x, frame));
        inside.fill(1, y * frame.width + begin!, y * frame.width + Math.max(begin!, end!));
      }
    }
  }
  return inside;
}

/** The first column of the frame whose centre is not left of `x`. */
function column(x: number, { left, width }: Frame): number {
  return Math.min(Math.max(Math.ceil(x - 0.5) - left, 0), width);
}

/** Where a polygon's edges cross the horizontal line at `y`, from left to right. An edge includes its upper end only. */
function crossingsAt(polygon: readonly number[], y: number): number[] {
  const crossings: number[] = [];
  for (let at = 0; at < polygon.length; at += 2) {
    const next = (at + 2) % polygon.length;
    const [x0, y0, x1, y1] = [polygon[at]!, polygon[at + 1]!, polygon[next]!, polygon[next + 1]!];
    if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) * (x1 - x0)) / (y1 - y0));
  }
  return crossings.sort((a, b) => a - b);
}

/** [height, width] of the frame: 1 inside. */
function runsInside(
  { runs, height, width }: { runs: readonly number[]; height: number; width: number },
  image: RgbImage,
  frame: Frame,
  name: string,
): Uint8Array {
  const total = runs.reduce((sum, run) => sum + run, 0);
  if (height !== image.height || width !== image.width || total !== height * width) {
    throw new LincirError('bad-file', {
      subject: name,
      expected: `a mask of its ${image.width} x ${image.height} pixels`,
      found: `one of ${width} x ${height} with ${total}`,
      todo: 'check that the image is the one that the annotations are of',
    });
  }
  const inside = new Uint8Array(frame.width * frame.height);
  let at = 0;
  for (const [index, run] of runs.entries()) {
    const end = at + run;
    for (; at < end; at += 1) {
      const x = Math.floor(at / height) - frame.left;
      const y = (at % height) - frame.top;
      const isSeen = x >= 0 && x < frame.width && y >= 0 && y < frame.height;
      if (index % 2 === 1 && isSeen) inside[y * frame.width + x] = 1;
    }
  }
  return inside;
}
