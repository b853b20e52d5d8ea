/** Pixels of pictures that people make here, as the model wants them: 64 by 64. */

import type { Scene } from '../../world/protocol.ts';
import { paintScene } from '../drawing/paint.ts';

const side = 64;

export function pixelsOf(scene: Scene): ImageData {
  const context = contextForPixels();
  paintScene(context, scene, side);
  return context.getImageData(0, 0, side, side);
}

export function shrunk(source: CanvasImageSource): ImageData {
  const context = contextForPixels();
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, 0, 0, side, side);
  return context.getImageData(0, 0, side, side);
}

function contextForPixels(): OffscreenCanvasRenderingContext2D {
  return new OffscreenCanvas(side, side).getContext('2d', { willReadFrequently: true })!;
}
