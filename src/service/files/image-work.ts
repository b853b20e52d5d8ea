/** Makes what is sent of an image: a thumbnail, or its own bytes if a browser shows them safely. */

import sharp from 'sharp';
import { LincirError } from '../../core/index.ts';
import { fittedImage, formatOf, type ImageFormat } from '../../decoding/index.ts';
import { encodedThumbnail, unchangedBytes } from '../../pictures/index.ts';
import type { KnownImage } from '../../store/index.ts';
import { type ImagePlace, notThere } from './guard.ts';

/** Plain data: it goes to a thread. */
export interface ImageWork {
  readonly image: Pick<KnownImage, 'id' | 'size' | 'hash' | 'memberOffset'>;
  readonly place: ImagePlace;
  /** Of the square that a thumbnail fits into, in pixels. Absent: the original is wanted. */
  readonly side?: number;
}

export interface MadeImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** Formats that browsers show and that run nothing, by their contents. */
const shownTypes: Partial<Record<ImageFormat, string>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
};
/** The largest file that is read whole for a request. */
const mostBytes = 2 ** 29;
/** Pixels of the longer side of converted images. */
const convertedSide = 4096;
const drawnSide = 2048;
const quality = 90;

/** @throws LincirError 'not-found' if the file is not the one that the index knows, 'bad-file' or 'io' if it cannot be read */
export async function imageMade({ image, place, side }: ImageWork): Promise<MadeImage> {
  const subject = `the file of image ${image.id}`;
  if (image.size > mostBytes) {
    const expected = `at most ${mostBytes} bytes`;
    throw new LincirError('bad-file', { subject, expected, found: `${image.size}` });
  }
  const bytes = await unchangedBytes(place.file, place.member, image);
  if (bytes === undefined) {
    throw notThere(image.id, 'another one, or one that has changed', 'bring the index up to date');
  }
  if (side !== undefined) return { bytes: await encodedThumbnail(bytes, side), type: 'image/jpeg' };
  const format = formatOf(bytes);
  const type = format && shownTypes[format];
  return type === undefined ? await converted(bytes, format) : { bytes, type };
}

/** As pixels, upright. */
async function converted(
  bytes: Uint8Array<ArrayBuffer>,
  format: ImageFormat | undefined,
): Promise<MadeImage> {
  const isDrawing = format === 'svg';
  const pixels = await fittedImage(bytes, isDrawing ? drawnSide : convertedSide);
  const encoded = isDrawing ? pixels.png() : pixels.flatten({ background: 'white' }).jpeg({ quality });
  return {
    bytes: new Uint8Array(await encoded.toBuffer()),
    type: isDrawing ? 'image/png' : 'image/jpeg',
  };
}

/** Images are made side by side, each on one thread of the processor. */
export function useOneThreadPerImage(): void {
  sharp.concurrency(1);
}
