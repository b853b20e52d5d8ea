/** A folder as people have them: pictures in folders, and all that is no picture. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { normals } from '../../src/core/index.ts';

export const pictureCount = 24;

/** Makes it. Returns the paths of its pictures as the page names them, the folder's name first. */
export async function makeFolder(parent: string, name = 'Holidays'): Promise<string[]> {
  const paths: string[] = [];
  for (let number = 0; number < pictureCount; number++) {
    const path = `${name}/day ${number % 3}/picture-${number} é.png`;
    await write(join(parent, path), await picture(number));
    paths.push(path);
  }
  for (const junk of ['notes.txt', 'film.mov', '.hidden.png', '__MACOSX/day.png', 'day 0/.DS_Store', 'a.xmp'])
    await write(join(parent, name, junk), Buffer.from('nothing to see'));
  await write(join(parent, name, 'day 1/torn.jpg'), Buffer.from('\xff\xd8\xff\xe0 torn', 'latin1'));
  return paths;
}

/** Colours by chance, of one kind for each number. */
export async function picture(number: number): Promise<Buffer> {
  const values = normals({ seed: number, purpose: 'initialization', moment: 0, row: 0 }, 4 * 3 * 3);
  const small = Uint8Array.from(values, (value) => Math.min(255, Math.max(0, 128 + 80 * value)));
  const [width, height] = number % 4 === 0 ? [60, 90] : [96, 64];
  return await sharp(small, { raw: { width: 4, height: 3, channels: 3 } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .png()
    .toBuffer();
}

async function write(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
