/** Pixels of pictures that people make here, as the model wants them: 64 by 64. */

export const side = 64;

/** The pixels of an image at an address of the page's own. */
export async function pixelsOf(address: string): Promise<ImageData> {
  const image = new Image(side, side);
  image.src = address;
  await image.decode();
  return shrunk(image);
}

export function shrunk(source: CanvasImageSource): ImageData {
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, 0, 0, side, side);
  return context.getImageData(0, 0, side, side);
}
