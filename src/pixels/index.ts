/** RGB pixels: turned upright, padded, resized and cropped, to the bit as Pillow does it. */

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
