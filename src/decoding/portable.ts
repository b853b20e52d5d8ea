/** What needs no platform of decoding: an image's format by its contents, the preview in a camera's raw file, EXIF's orientation. */

export { formatOf, formatsText, type ImageFormat } from './format.ts';
export { rawPreview, tiffOrientation } from './raw-preview.ts';
