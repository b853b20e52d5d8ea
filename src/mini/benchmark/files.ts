/** Writes the miniature world's benchmark: its images, and its queries in CIRCO's and CIRR's layouts. */

import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { chunks } from '../../core/index.ts';
import { makeFolder, writeFileAtomically } from '../../files/index.ts';
import { renderScene } from '../world/render.ts';
import type { MiniBenchmark } from './benchmark.ts';

/** Folder of images, as in CIRCO's layout. */
export const miniImages = 'COCO2017_unlabeled/unlabeled2017';

/** Side of an image in pixels, as the model sees it. */
const side = 64;
const picturesAtOnce = 64;

interface WriteOptions {
  readonly onProgress?: (pictures: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Writes a benchmark to a folder for `lincir eval circo`, `cirr` and `mini`.
 * @throws LincirError 'io', and the signal's reason
 */
export async function writeMiniBenchmark(
  folder: string,
  { gallery, queries }: MiniBenchmark,
  { onProgress, signal }: WriteOptions = {},
): Promise<void> {
  const name = (id: number) => `${id}`.padStart(12, '0');
  const file = (id: number) => `${name(id)}.png`;
  await makeFolder(join(folder, miniImages));
  let done = 0;
  for await (const some of chunks(gallery, picturesAtOnce)) {
    await Promise.all(
      some.map(async ({ id, scene, variant }) => {
        const { data, width, height } = await renderScene(scene, side, variant);
        const png = await sharp(data, { raw: { width, height, channels: 3 } })
          .png()
          .toBuffer();
        await writeFileAtomically(join(folder, miniImages, file(id)), (opened) => opened.writeFile(png));
      }),
    );
    done += some.length;
    onProgress?.(done);
    signal?.throwIfAborted();
  }
  const files: Record<string, unknown> = {
    'COCO2017_unlabeled/annotations/image_info_unlabeled2017.json': {
      images: gallery.map(({ id }) => ({ id, file_name: file(id), width: side, height: side })),
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
      gallery.map(({ id }) => [name(id), `./${miniImages}/${file(id)}`]),
    ),
    'cirr/captions/cap.rc2.val.json': queries.map(({ id, reference, text, target, targets, subset }) => ({
      pairid: id,
      reference: name(reference),
      target_hard: name(target),
      target_soft: Object.fromEntries(targets.map((one) => [name(one), 1])),
      caption: text,
      img_set: { id, members: subset.map(name) },
    })),
  };
  for (const [path, content] of Object.entries(files)) {
    await makeFolder(dirname(join(folder, path)));
    await writeFileAtomically(join(folder, path), (opened) => opened.writeFile(JSON.stringify(content)));
  }
}
