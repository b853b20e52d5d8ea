/** A worker that decodes pictures: the vision tower's input, a small picture to show, and what identifies the file. */

import '../../shell/no-eval.ts';
import { decodeImage } from '../../../../src/browser/decode.ts';
import { preprocessImage } from '../../../../src/clip/index.ts';
import { LincirError, sha256 } from '../../../../src/core/index.ts';
import { exifOf } from '../../../../src/pictures/portable.ts';
import { defaultMaxPixels, type RgbImage, windowOf } from '../../../../src/pixels/index.ts';
import { type DecodedPicture, type DecodeTask, hasRead } from './decoding.ts';

/** Pixels of a thumbnail's longer side. */
const thumbnailSide = 320;
const mostBytes = 2 ** 28;

addEventListener('message', async ({ data }) => {
  const answer = await decoded(data as DecodeTask);
  const moved = 'pixels' in answer ? [answer.pixels.buffer, answer.thumbnail.buffer] : [];
  postMessage(answer, { transfer: moved });
});

async function decoded({ path, file, preprocessing }: DecodeTask): Promise<DecodedPicture> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    if (file.size > mostBytes) return { reason: 'its file is larger than 256 MB', isPassing: false };
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch {
    return { reason: 'its file cannot be read now: it may have changed or gone', isPassing: true };
  }
  postMessage(hasRead);
  try {
    const image = await decodeImage(bytes, path, defaultMaxPixels);
    const { height, width } = preprocessing.crop;
    const pixels = new Float32Array(3 * height * width);
    await preprocessImage(image, preprocessing, { into: pixels, name: path });
    return {
      id: hex(await sha256(path)).slice(0, 24),
      hash: hex(await sha256(bytes)),
      pixels,
      thumbnail: await thumbnailOf(image),
      ...uprightSize(image),
      photo: exifOf(bytes),
    };
  } catch (error) {
    return { reason: reasonOf(error), isPassing: false };
  }
}

async function thumbnailOf(image: RgbImage): Promise<Uint8Array<ArrayBuffer>> {
  const size = uprightSize(image);
  const scale = Math.min(1, thumbnailSide / Math.max(size.width, size.height));
  const width = Math.max(1, Math.round(size.width * scale));
  const height = Math.max(1, Math.round(size.height * scale));
  const extent = { width, height };
  const window = { resize: extent, filter: 'bilinear', crop: extent, targetPad: Infinity } as const;
  const { data } = windowOf(image, { ...window, isStored: false });
  const four = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    four[to] = data[from]!;
    four[to + 1] = data[from + 1]!;
    four[to + 2] = data[from + 2]!;
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')!.putImageData(new ImageData(four, width, height), 0, 0);
  const webp = await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 });
  // Browsers that write no WebP give a PNG, which is far larger than a JPEG.
  const blob =
    webp.type === 'image/webp' ? webp : await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.8 });
  return new Uint8Array(await blob.arrayBuffer());
}

/** Orientations from 5 on lie on their side. */
function uprightSize({ width, height, orientation = 1 }: RgbImage): { width: number; height: number } {
  return orientation >= 5 ? { width: height, height: width } : { width, height };
}

function reasonOf(error: unknown): string {
  if (error instanceof LincirError) return `expected ${error.problem.expected}, found ${error.problem.found}`;
  return error instanceof Error ? error.message : `${error}`;
}

function hex(hash: DataView): string {
  return Array.from({ length: hash.byteLength }, (_, at) =>
    hash.getUint8(at).toString(16).padStart(2, '0'),
  ).join('');
}
