/** Folders of small images, and indexes of them, for tests. */

import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import type { Clip } from '../src/clip/index.ts';
import { uniforms } from '../src/core/index.ts';
import type { ImageIndex, UpdateOptions, UpdateSummary } from '../src/indexing/index.ts';

let places = 0;

/** What the files of `writePicture` say of themselves. */
export const plainFacts = { width: 24, height: 20 };

/** A folder with so many images, every other one in `sub`, and a path for their index, in `folder`. */
export async function place(folder: string, count: number): Promise<{ photos: string; uri: string }> {
  places += 1;
  const uri = join(folder, `index-${places}.lance`);
  const photos = join(folder, `photos-${places}`);
  await mkdir(join(photos, 'sub'), { recursive: true });
  for (let number = 0; number < count; number += 1) {
    await writePicture(join(photos, number % 2 ? 'sub' : '', `${number}.png`), number);
  }
  return { photos, uri };
}

/** An image of noise, another one for every number. */
export async function writePicture(path: string, number: number): Promise<void> {
  const noise = uniforms({ seed: number, purpose: 'noise', moment: 0, row: 0 }, 24 * 20 * 3);
  const data = Uint8Array.from(noise, (value) => value * 256);
  await writeFile(
    path,
    await sharp(data, { raw: { width: 24, height: 20, channels: 3 } })
      .png()
      .toBuffer(),
  );
}

/** Brings an index up to date; the counts that are not 0. */
export async function update(
  index: ImageIndex,
  clip: Clip,
  options: UpdateOptions,
): Promise<Partial<UpdateSummary>> {
  let summary: UpdateSummary | undefined;
  for await (const event of index.add(clip, options)) if (event.kind === 'end') summary = event.summary;
  const { encodingSeconds: _, ...counts } = summary!;
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** Why images are broken, by their files' names. */
export async function brokenOf(index: ImageIndex): Promise<Map<string, string>> {
  const broken = (await Array.fromAsync(index.broken())).flat();
  return new Map(broken.map(({ path, reason }) => [basename(path), reason]));
}
