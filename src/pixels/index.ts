/** RGB pixels: turns, pads, resizes and crops them, bit for bit as Pillow does. */

export {
  checkedPixels,
  type DecodeWindow,
  defaultMaxPixels,
  type EncodedSource,
  type ImageSource,
  isPixels,
  type RgbImage,
} from './image.ts';
export { uprightRows } from './orientation.ts';
export { type Extent, type Window, windowOf } from './window.ts';
