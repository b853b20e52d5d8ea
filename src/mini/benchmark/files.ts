/** Draws the miniature world's images, and writes its benchmark: its queries in CIRCO's and CIRR's layouts. */

import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { chunks } from '../../core/index.ts';
import { makeFolder, statOf, writeFileAtomically } from '../../files/index.ts';
import { renderScene } from '../world/render-pixels.ts';
import type { MiniBenchmark } from './benchmark.ts';

/** Folder of images, as in CIRCO's layout. */
export const miniImages = 'COCO2017_unlabeled/unlabeled2017';

/** Side of an image in pixels, as the model sees it. */
const modelSide = 64;
const picturesAtOnce = 64;

interface DrawOptions {
  readonly onProgress?: (pictures: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Draws images as PNG files with their ids as names, of twelve digits, in a folder.
 * @throws LincirError 'io', and the signal's reason
 */
export async function drawImages(
  folder: string,
  gallery: MiniBenchmark['gallery'],
  {
    side = modelSide,
    keepsFiles = false,
    onProgress,
    signal,
  }: DrawOptions & {
    /** Of an image, in pixels. */
    readonly side?: number;
    /** Whether images that are there stay as they are. */
    readonly keepsFiles?: boolean;
  } = {},
): Promise<void> {
  await makeFolder(folder);
  let done = 0;
  for await (const some of chunks(gallery, picturesAtOnce)) {
    await Promise.all(
      some.map(async ({ id, scene, variant }) => {
        const path = join(folder, fileOf(id));
        if (keepsFiles && (await statOf(path))) return;
        const { data, width, height } = await renderScene(scene, side, variant);
        const png = await sharp(data, { raw: { width, height, channels: 3 } })
          .png()
          .toBuffer();
        await writeFileAtomically(path, (opened) => opened.writeFile(png));
      }),
    );
    done += some.length;
    onProgress?.(done);
    signal?.throwIfAborted();
  }
}

/**
 * Writes a benchmark to a folder for `lincir eval circo`, `cirr` and `mini`.
 * @throws LincirError 'io', and the signal's reason
 */
export async function writeMiniBenchmark(
  folder: string,
  { gallery, queries }: MiniBenchmark,
  options: DrawOptions = {},
): Promise<void> {
  await drawImages(join(folder, miniImages), gallery, options);
  const files: Record<string, unknown> = {
    'COCO2017_unlabeled/annotations/image_info_unlabeled2017.json': {
      images: gallery.map(({ id }) => ({ id, file_name: fileOf(id), width: modelSide, height: modelSide })),
    },
    'annotations/val.json': queries.map(({ id, kind, reference, text, target, targets }) => ({
      id,
      reference_img_id: reference,
      target_img_id: target,
      relative_caption: text,
      shared_concept: 'a scene',
      gt_img_ids: targets,
      semantic_aspects: [kind],
    })),
    'cirr/image_splits/split.rc2.val.json': Object.fromEntries(
      gallery.map(({ id }) => [nameOf(id), `./${miniImages}/${fileOf(id)}`]),
    ),
    'cirr/captions/cap.rc2.val.json': queries.map(({ id, reference, text, target, targets, subset }) => ({
      pairid: id,
      reference: nameOf(reference),
      target_hard: nameOf(target),
      target_soft: Object.fromEntries(targets.map((one) => [nameOf(one), 1])),
      caption: text,
      img_set: { id, members: subset.map(nameOf) },
    })),
  };
  for (const [path, content] of Object.entries(files)) {
    await makeFolder(dirname(join(folder, path)));
    await writeFileAtomically(join(folder, path), (opened) => opened.writeFile(JSON.stringify(content)));
  }
}

function nameOf(id: number): string {
  return `${id}`.padStart(12, '0');
}

function fileOf(id: number): string {
  return `${nameOf(id)}.png`;
}
