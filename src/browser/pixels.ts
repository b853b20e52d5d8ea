/** RGB pixels out of what browsers decode. */

import type { RgbImage } from '../pixels/index.ts';

/** Canvases and textures have limits, and four bytes a pixel are much for a large picture: it is read in parts. */
const side = 4096;

/** @param isOpaque no pixel is transparent. Otherwise a canvas would lose the colour below transparency. */
export async function pixelsOf(bitmap: ImageBitmap, isOpaque: boolean): Promise<RgbImage> {
  const { width, height } = bitmap;
  const data = new Uint8Array(width * height * 3);
  const isSmall = width <= side && height <= side;
  if (!isOpaque) exactReader ??= findExactReader();
  const read = isOpaque ? undefined : await exactReader;
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      const [across, down] = [Math.min(side, width - left), Math.min(side, height - top)];
      const part = isSmall
        ? bitmap
        : await createImageBitmap(bitmap, left, top, across, down, { premultiplyAlpha: 'none' });
      const four = (await read?.(part)) ?? readByCanvas(part);
      if (part !== bitmap) part.close();
      for (let row = 0; row < down; row += 1) {
        const to = ((top + row) * width + left) * 3;
        withoutAlpha(four, row * across * 4, data.subarray(to, to + across * 3));
      }
    }
  }
  return { data, width, height };
}

type Four = Uint8Array | Uint8ClampedArray;
/** Undefined where it cannot. */
type Reader = (bitmap: ImageBitmap) => Promise<Four | undefined>;

let exactReader: Promise<Reader | undefined> | undefined;

/** A way that keeps the colour below transparency: WebGL does, and where there is none, a video's frame in Firefox. */
async function findExactReader(): Promise<Reader | undefined> {
  const hidden = new ImageData(Uint8ClampedArray.of(200, 100, 50, 0), 1);
  const bitmap = await createImageBitmap(hidden, { premultiplyAlpha: 'none' });
  for (const read of [readByWebgl, readByVideoFrame]) {
    const found = await read(bitmap).catch(() => undefined);
    if (found?.[0] === 200 && found[1] === 100 && found[2] === 50) return read;
  }
  return undefined;
}

let webgl: WebGLRenderingContext | undefined;

async function readByWebgl(bitmap: ImageBitmap): Promise<Four | undefined> {
  if (!webgl || webgl.isContextLost()) webgl = new OffscreenCanvas(1, 1).getContext('webgl') ?? undefined;
  if (!webgl) return undefined;
  const { width, height } = bitmap;
  const [texture, frame] = [webgl.createTexture(), webgl.createFramebuffer()];
  webgl.bindTexture(webgl.TEXTURE_2D, texture);
  webgl.pixelStorei(webgl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  webgl.texImage2D(webgl.TEXTURE_2D, 0, webgl.RGBA, webgl.RGBA, webgl.UNSIGNED_BYTE, bitmap);
  webgl.bindFramebuffer(webgl.FRAMEBUFFER, frame);
  webgl.framebufferTexture2D(webgl.FRAMEBUFFER, webgl.COLOR_ATTACHMENT0, webgl.TEXTURE_2D, texture, 0);
  const four = new Uint8Array(width * height * 4);
  webgl.readPixels(0, 0, width, height, webgl.RGBA, webgl.UNSIGNED_BYTE, four);
  const isRead = webgl.getError() === webgl.NO_ERROR;
  webgl.deleteFramebuffer(frame);
  webgl.deleteTexture(texture);
  return isRead ? four : undefined;
}

async function readByVideoFrame(bitmap: ImageBitmap): Promise<Four | undefined> {
  if (!('VideoFrame' in globalThis)) return undefined;
  const frame = new VideoFrame(bitmap, { timestamp: 0 });
  try {
    const four = new Uint8Array(frame.allocationSize({ format: 'RGBA' }));
    await frame.copyTo(four, { format: 'RGBA' });
    return four;
  } finally {
    frame.close();
  }
}

function readByCanvas(bitmap: ImageBitmap): Four {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height).data;
}

function withoutAlpha(four: Four, start: number, data: Uint8Array): void {
  for (let from = start, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = four[from]!;
    data[to + 1] = four[from + 1]!;
    data[to + 2] = four[from + 2]!;
  }
}
