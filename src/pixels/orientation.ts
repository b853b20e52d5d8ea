/** Turns images that are stored rotated or mirrored upright, row by row. */

import type { RgbImage } from './image.ts';

/** Rows of an upright image, three bytes per pixel. */
interface UprightRows {
  readonly width: number;
  readonly height: number;
  /** The pixels of a row from `from` to before `to`. Later calls overwrite the result. */
  readonly row: (y: number, from: number, to: number) => Uint8Array;
}

/** Rows to turn together: for a rotated image, they fit into a few cache lines. */
const rowsAtOnce = 32;

export function uprightSize({ width, height, orientation = 1 }: RgbImage): {
  readonly width: number;
  readonly height: number;
} {
  return orientation >= 5 ? { width: height, height: width } : { width, height };
}

/** Copies only requested rows. Request them in order, with one range. */
export function uprightRows(image: RgbImage): UprightRows {
  const { data, orientation = 1 } = image;
  const size = uprightSize(image);
  if (orientation === 1) {
    const row = (y: number, from: number, to: number) =>
      data.subarray((y * size.width + from) * 3, (y * size.width + to) * 3);
    return { ...size, row };
  }
  const { origin, right, down } = steps(image);
  let block = new Uint8Array();
  let first = -rowsAtOnce;
  let range = { from: 0, to: 0 };
  const row = (y: number, from: number, to: number): Uint8Array => {
    const length = (to - from) * 3;
    if (y < first || y >= first + rowsAtOnce || range.from !== from || range.to !== to) {
      if (block.length !== length * rowsAtOnce) block = new Uint8Array(length * rowsAtOnce);
      [first, range] = [y, { from, to }];
      const count = Math.min(rowsAtOnce, size.height - y);
      for (let x = from; x < to; x += 1) {
        let source = origin + x * right + y * down;
        let target = (x - from) * 3;
        for (let line = 0; line < count; line += 1, source += down, target += length) {
          block[target] = data[source]!;
          block[target + 1] = data[source + 1]!;
          block[target + 2] = data[source + 2]!;
        }
      }
    }
    return block.subarray((y - first) * length, (y - first + 1) * length);
  };
  return { ...size, row };
}

/** In bytes: the position of the upright image's first pixel, and the steps to the right and down. */
function steps({ width, height, orientation = 1 }: RgbImage): {
  readonly origin: number;
  readonly right: number;
  readonly down: number;
} {
  const pixel = 3;
  const line = width * pixel;
  const [lastColumn, lastRow] = [line - pixel, (height - 1) * line];
  // EXIF 3.0, section 4.6.5.1.6: the visible positions of the stored image's first row and first column.
  switch (orientation) {
    case 2:
      return { origin: lastColumn, right: -pixel, down: line };
    case 3:
      return { origin: lastRow + lastColumn, right: -pixel, down: -line };
    case 4:
      return { origin: lastRow, right: pixel, down: -line };
    case 5:
      return { origin: 0, right: line, down: pixel };
    case 6:
      return { origin: lastRow, right: -line, down: pixel };
    case 7:
      return { origin: lastRow + lastColumn, right: -line, down: -pixel };
    case 8:
      return { origin: lastColumn, right: line, down: -pixel };
    default:
      return { origin: 0, right: pixel, down: line };
  }
}
