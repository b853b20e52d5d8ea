/** The report's thumbnails: each is made once, is in the page once, and is shown by its class. */

import sharp, { type Sharp } from 'sharp';
import { LincirError } from '../../core/index.ts';
import { decodeImage } from '../../decoding/index.ts';
import { dataUrl, escapeHtml, frameRatio } from '../../html/index.ts';
import { cutRegion, shrunkImage } from '../../pictures/index.ts';
import { defaultMaxPixels } from '../../pixels/index.ts';
import type { BenchmarkImage } from '../benchmark.ts';

export interface ReportImages {
  /** Their CSS rules, and `--ratio`, the shape of the frames. */
  readonly css: string;
  /** Markup of an image. `note` says in words what else is only visible. */
  readonly tile: (id: string, note?: string) => string;
  /** How many could not be shown. */
  readonly missing: number;
}

/** The longer side in pixels, by the number of images, so that a page of 200 queries has at most some 30 MB. */
const sides = [
  { side: 384, pictures: 500 },
  { side: 256, pictures: 2000 },
  { side: 160, pictures: Number.POSITIVE_INFINITY },
] as const;
const quality = 70;
/** How many are made at once. */
const atOnce = 4;

/**
 * Makes the thumbnails of the images with these ids, or of their visible regions.
 * @param onPicture called after each, with the number done
 */
export async function reportImages(
  images: readonly BenchmarkImage[],
  ids: ReadonlySet<string>,
  onPicture?: (done: number, total: number) => void,
): Promise<ReportImages> {
  const byId = new Map(images.map((image) => [image.id, image]));
  const numbers = new Map([...ids].map((id, at) => [id, at]));
  const rules: string[] = Array.from({ length: ids.size }, () => '');
  const { side } = sides.find(({ pictures }) => ids.size <= pictures)!;
  const sizes: { readonly width: number; readonly height: number }[] = [];
  const left = numbers.entries();
  let done = 0;
  const work = async () => {
    for (const [id, number] of left) {
      const image = byId.get(id);
      const bytes = image && (await thumbnail(image, side));
      if (bytes !== undefined) {
        sizes.push(await sharp(bytes).metadata());
        rules[number] = `.p${number} { background-image: url("${dataUrl('jpeg', bytes)}"); }`;
      }
      done += 1;
      onPicture?.(done, ids.size);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return {
    css: [`:root { --ratio: ${frameRatio(sizes)}; }`, ...rules.filter((rule) => rule !== '')].join('\n'),
    tile: (id, note) => {
      const number = numbers.get(id);
      const isThere = number !== undefined && rules[number] !== '';
      const title = note === undefined ? id : `${id}: ${note}`;
      return `<i class="t ${isThere ? `p${number}` : 'missing'}" role="img" title="${escapeHtml(title)}"></i>`;
    },
    missing: rules.filter((rule) => rule === '').length,
  };
}

async function thumbnail({ path, region }: BenchmarkImage, side: number): Promise<Uint8Array | undefined> {
  const small = (image: Sharp) =>
    image.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true }).jpeg({ quality });
  if (region === undefined) return shrunkImage(path, small);
  try {
    // Not made square, because the page's frames have room for all shapes.
    const cut = cutRegion(
      await decodeImage(path, path, defaultMaxPixels),
      { ...region, square: 'squash' },
      path,
    );
    const { data, width, height } = cut;
    return await small(sharp(data, { raw: { width, height, channels: 3 } })).toBuffer();
  } catch (error) {
    if (error instanceof LincirError) return undefined;
    throw error;
  }
}
