/** Where CLIP meets what decodes images on this platform. */

export { decodeImage, decodeWindow } from '#decode';
