/** Resizes and crops 8-bit RGB images, bit for bit as Pillow's antialiased `Image.resize` did up to version 12. */

/** 8-bit RGB pixels, row-major, three bytes per pixel: [height, width, 3]. */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export type ResampleFilter = 'bilinear' | 'bicubic';

/**
 * What happens along one axis, in pixels: the image lies on a black canvas, the canvas is resized, and a window is
 * cut out of the result. A window may reach past the resized canvas; it is black there.
 */
export interface AxisPlan {
  /** Length of the canvas; the image's own length where nothing is padded. */
  readonly canvas: number;
  /** Where the image begins on the canvas. */
  readonly offset: number;
  /** Length of the canvas after resizing. */
  readonly resized: number;
  /** Where the window begins on the resized canvas; may be negative. */
  readonly start: number;
  /** Length of the window, and so of the output. */
  readonly length: number;
}

/**
 * Pillow's two passes over the pixels that survive the crop: across, then down, each rounded to 8 bits. (Pillow 13
 * goes down first where height loses more than twice the pixels that width does; no earlier Pillow, and so no
 * published CLIP, does.) Padding is never made: black adds nothing to a weighted sum, so its taps are left out.
 */
export function resample(
  image: RgbImage,
  across: AxisPlan,
  down: AxisPlan,
  filter: ResampleFilter,
): RgbImage {
  const columns = tapsOf(across, image.width, filter);
  const rows = tapsOf(down, image.height, filter);
  const narrowed = resampleAcross(image, columns, rows.from, rows.to); // [rows.to - rows.from, window width, 3]
  const data = resampleDown(narrowed, across.length * 3, rows); // [window height, window width, 3]
  return { data: new Uint8Array(data.buffer), width: across.length, height: down.length };
}

/** Which image pixels make each output pixel, and how much each counts. */
interface Taps {
  /** The first image pixel of each output pixel. */
  readonly first: Int32Array;
  /** How many image pixels each output pixel has; 0 where it is black. */
  readonly count: Int32Array;
  /** Fixed-point weights, `stride` places for each output pixel. */
  readonly weights: Int32Array;
  readonly stride: number;
  /** The range of image pixels that any output pixel uses: `from` up to, not including, `to`. */
  readonly from: number;
  readonly to: number;
}

// Weights have 22 fraction bits: a product with 8 bits of pixel leaves 2 bits for sums that overshoot.
const fractionBits = 22;
const half = 1 << (fractionBits - 1);

const filters = {
  bilinear: { support: 1, weight: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: cubic },
} as const;

/** Keys' cubic convolution kernel with a = -0.5 (IEEE Trans. ASSP 29, 1981). */
function cubic(position: number): number {
  const a = -0.5;
  const x = Math.abs(position);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function tapsOf(plan: AxisPlan, imageLength: number, filter: ResampleFilter): Taps {
  const { support, weight } = filters[filter];
  const scale = plan.canvas / plan.resized;
  const stretch = Math.max(1, scale); // antialiasing: shrinking widens the kernel
  const reach = support * stretch;
  const stride = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(plan.length);
  const count = new Int32Array(plan.length);
  const weights = new Int32Array(plan.length * stride);
  const raw = new Float64Array(stride);
  let from = imageLength;
  let to = 0;
  for (let output = 0; output < plan.length; output++) {
    const position = plan.start + output;
    if (position < 0 || position >= plan.resized) continue;
    const centre = (position + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach + 0.5));
    const high = Math.min(plan.canvas, Math.trunc(centre + reach + 0.5));
    let total = 0;
    for (let at = low; at < high; at++) {
      raw[at - low] = weight((at - centre + 0.5) * (1 / stretch));
      total += raw[at - low]!;
    }
    // Weights sum to one over the canvas; only those of pixels inside the image are kept.
    const begin = Math.max(low, plan.offset);
    const end = Math.max(begin, Math.min(high, plan.offset + imageLength));
    for (let at = begin; at < end; at++) {
      const share = (raw[at - low]! / total) * (1 << fractionBits);
      weights[output * stride + at - begin] = Math.trunc(share + (share < 0 ? -0.5 : 0.5));
    }
    if (begin === end) continue;
    first[output] = begin - plan.offset;
    count[output] = end - begin;
    from = Math.min(from, begin - plan.offset);
    to = Math.max(to, end - plan.offset);
  }
  return { first, count, weights, stride, from, to: Math.max(from, to) };
}

/** Image rows `from` to `to`, resized across. Row 0 of the result is image row `from`. */
function resampleAcross(image: RgbImage, taps: Taps, from: number, to: number): Uint8ClampedArray {
  const { data, width } = image;
  const { first, count, weights, stride } = taps;
  const outputs = first.length;
  const result = new Uint8ClampedArray((to - from) * outputs * 3); // clamps overshoot to 0…255
  let into = 0;
  for (let row = from; row < to; row++) {
    for (let output = 0; output < outputs; output++) {
      let red = half;
      let green = half;
      let blue = half;
      let pixel = (row * width + first[output]!) * 3;
      const end = output * stride + count[output]!;
      for (let tap = output * stride; tap < end; tap++) {
        const weight = weights[tap]!;
        red = (red + Math.imul(data[pixel]!, weight)) | 0;
        green = (green + Math.imul(data[pixel + 1]!, weight)) | 0;
        blue = (blue + Math.imul(data[pixel + 2]!, weight)) | 0;
        pixel += 3;
      }
      result[into++] = red >> fractionBits;
      result[into++] = green >> fractionBits;
      result[into++] = blue >> fractionBits;
    }
  }
  return result;
}

/** Resizes rows of `rowLength` bytes down; the first row given is image row `taps.from`. */
function resampleDown(rows: Uint8ClampedArray, rowLength: number, taps: Taps): Uint8ClampedArray {
  const { first, count, weights, stride, from } = taps;
  const result = new Uint8ClampedArray(first.length * rowLength);
  const sums = new Int32Array(rowLength);
  for (let output = 0; output < first.length; output++) {
    sums.fill(half);
    for (let tap = 0; tap < count[output]!; tap++) {
      const weight = weights[output * stride + tap]!;
      const row = (first[output]! + tap - from) * rowLength;
      for (let at = 0; at < rowLength; at++) sums[at]! += Math.imul(rows[row + at]!, weight);
    }
    for (let at = 0; at < rowLength; at++) result[output * rowLength + at] = sums[at]! >> fractionBits;
  }
  return result;
}
