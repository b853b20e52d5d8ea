/** Decodes with ImageMagick in WebAssembly the formats that this libvips cannot decode. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { IMagickImage } from '@imagemagick/magick-wasm';
import type { RgbImage } from '../pixels/index.ts';
import type { DecodeWork } from './decode-here.ts';
import type { ImageFormat } from './format.ts';
import { checkPixels } from './vips-decode.ts';

/** Its names of the formats. We name the format, so that it does not read the bytes as another one. */
const names = { heic: 'HEIC', jp2: 'JP2', j2k: 'J2K', jxl: 'JXL', bmp: 'BMP' } as const;
type MagickName = keyof typeof names;

export function isForMagick(format: ImageFormat): format is MagickName {
  return format in names;
}

/** RGB or RGBA, turned as the format says. BMP and JPEG 2000 say nothing. */
export async function magickPixels(
  { bytes, format, maxPixels, name }: DecodeWork & { readonly format: MagickName },
  channels: 3 | 4,
): Promise<RgbImage> {
  const { ImageMagick, MagickImageInfo, MagickReadSettings } = await loaded();
  const settings = new MagickReadSettings({ format: names[format] });
  checkPixels(MagickImageInfo.create(bytes, settings), maxPixels, name);
  return ImageMagick.read(bytes, settings, (image: IMagickImage) => {
    const { width, height } = image;
    checkPixels({ width, height }, maxPixels, name);
    const data = image.getPixels((pixels) =>
      pixels.toByteArray(0, 0, width, height, channels === 3 ? 'RGB' : 'RGBA'),
    );
    if (data === null) throw new Error('no pixels');
    return { data, width, height };
  });
}

let loading: Promise<typeof import('@imagemagick/magick-wasm')> | undefined;

/** Loaded once, for the first such image: this takes a third of a second. */
async function loaded() {
  loading ??= (async () => {
    const library = await import('@imagemagick/magick-wasm');
    const file = fileURLToPath(import.meta.resolve('@imagemagick/magick-wasm/magick.wasm'));
    await library.initializeImageMagick(await readFile(file));
    return library;
  })();
  return loading;
}
