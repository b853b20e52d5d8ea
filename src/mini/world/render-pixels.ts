/** Renders images of scenes as pixels. */

import sharp from 'sharp';
import type { RgbImage } from '../../pixels/index.ts';
import { sceneSvg } from './render.ts';
import type { Scene } from './scene.ts';

/** The image of `sceneSvg` as pixels. */
export async function renderScene(scene: Scene, side: number, variant = 0): Promise<RgbImage> {
  const { data, info } = await sharp(Buffer.from(sceneSvg(scene, side, variant)))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
