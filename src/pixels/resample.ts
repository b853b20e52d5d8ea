/** Resizes and crops 8-bit RGB images, bit for bit as Pillow's antialiased `Image.resize` did up to version 12. */

import { type KernelMemory, pageLength, startKernel } from '../core/index.ts';
import type { RgbImage } from './image.ts';
import { uprightRows } from './orientation.ts';
import { kernelBytes } from './resample-kernel.ts';

export type ResampleFilter = 'bilinear' | 'bicubic';

/**
 * The steps along one axis, in pixels: the image is put on a black canvas, the canvas is resized, and a window is cut out
 * of the result. A window may exceed the resized canvas; it is black there.
 */
export interface AxisPlan {
  /** Length of the canvas; the image's own length without padding. */
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
  const upright = uprightRows(image);
  const columns = tapsOf(across, upright.width, filter);
  const rows = tapsOf(down, upright.height, filter);
  const sourceLength = (columns.to - columns.from) * 3;
  const rowLength = columns.outputs * 3;

  // The kernel's memory, in bytes: both taps, a row of the image, a row of the result, and as many narrowed rows as
  // make one row of the result, not more, so that it stays small for an image of any size.
  const rowTaps = columns.taps.byteLength;
  const imageRow = rowTaps + rows.taps.byteLength;
  const resultRow = imageRow + sourceLength + overrun;
  const narrowedRows = resultRow + rowLength + overrun;
  const { memory, weigh } = kernelWith(narrowedRows + rows.most * rowLength + overrun);
  memory.set(new Uint8Array(columns.taps.buffer, 0, rowTaps));
  memory.set(new Uint8Array(rows.taps.buffer, 0, rows.taps.byteLength), rowTaps);

  const data = new Uint8Array(down.length * across.length * 3); // [window height, window width, 3]
  let into = (rows.black * across.length + columns.black) * 3;
  let kept = 0;
  let narrowed = 0; // rows `kept` up to, not including, `narrowed` are there, counted from `rows.from`
  let next = 0;
  while (next < rows.taps.length) {
    const record = next;
    const first = rows.taps[record]!;
    const count = rows.taps[record + 1]!;
    next += 2 + count;
    const place = (row: number) => narrowedRows + (row - kept) * rowLength;
    memory.copyWithin(narrowedRows, place(first), place(narrowed));
    kept = first;
    for (; narrowed < first + count; narrowed++) {
      memory.set(upright.row(rows.from + narrowed, columns.from, columns.to), imageRow);
      weigh(imageRow, 3, 0, rowTaps, place(narrowed));
    }
    // Row 0 may lie before the memory: the kernel's addresses wrap.
    weigh(place(0), rowLength, rowTaps + record * 4, rowTaps + next * 4, resultRow);
    data.set(memory.subarray(resultRow, resultRow + rowLength), into);
    into += across.length * 3;
  }
  return { data, width: across.length, height: down.length };
}

/** Which image pixels make each output pixel, and how much each counts. */
interface Taps {
  /** How many output pixels are black before the first that is not. */
  readonly black: number;
  /** How many are not; they follow each other, and the rest is black. */
  readonly outputs: number;
  /** The range of image pixels that they use: `from` up to, not including, `to`. */
  readonly from: number;
  readonly to: number;
  /** The most that one of them uses. */
  readonly most: number;
  /** For each of them: the first of its image pixels, counted from `from`; how many it has; their fixed-point weights. */
  readonly taps: Int32Array<ArrayBuffer>;
}

// Weights have 22 fraction bits: a product with 8 bits of pixel leaves 2 bits for sums that overshoot.
const fractionBits = 22;

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
  const taps = new Int32Array(plan.length * (2 + Math.min(stride, imageLength)));
  const raw = new Float64Array(stride);
  let used = 0;
  let black = 0;
  let outputs = 0;
  let from = 0;
  let to = 0;
  let most = 0;
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
    const end = Math.min(high, plan.offset + imageLength);
    if (begin >= end) continue;
    if (outputs === 0) {
      black = output;
      from = begin - plan.offset;
    }
    outputs += 1;
    to = end - plan.offset;
    most = Math.max(most, end - begin);
    taps[used++] = begin - plan.offset - from;
    taps[used++] = end - begin;
    for (let at = begin; at < end; at++) {
      const share = (raw[at - low]! / total) * (1 << fractionBits);
      taps[used++] = Math.trunc(share + (share < 0 ? -0.5 : 0.5));
    }
  }
  return { black, outputs, from, to, most, taps: taps.subarray(0, used) };
}

/** How far the kernel reads and writes past what it is asked for. */
const overrun = 3;

/** `resample.wat`, which says what the arguments are. */
interface Kernel {
  readonly memory: KernelMemory;
  readonly weigh: (line: number, unit: number, taps: number, end: number, into: number) => void;
}

let kernel: Kernel | undefined;

/** This thread's kernel, with at least so many bytes of memory. */
function kernelWith(bytes: number): { readonly memory: Uint8Array; readonly weigh: Kernel['weigh'] } {
  kernel ??= startKernel<Kernel>(kernelBytes);
  const { memory, weigh } = kernel;
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageLength));
  return { memory: new Uint8Array(memory.buffer), weigh };
}
