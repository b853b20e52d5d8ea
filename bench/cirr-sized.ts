/**
 * Makes a benchmark of CIRR val's size and layout, with images of noise and captions of random words, to time a whole
 * evaluation: `node bench/cirr-sized.ts FOLDER`, then `lincir eval cirr --data FOLDER --model models/large …`.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { sequence, uniforms } from '../src/core/index.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node bench/cirr-sized.ts FOLDER');
const pictures = 2297;
const queries = 4181;
const words =
  'a the two dogs is has more less red blue on of with same but facing left table grass without'.split(' ');
const random = sequence({ seed: 0, purpose: 'choice', moment: 0, row: 0 });
const upTo = (count: number) => Math.floor(random() * count);

await mkdir(join(folder, 'dev'), { recursive: true });
await mkdir(join(folder, 'cirr/captions'), { recursive: true });
await mkdir(join(folder, 'cirr/image_splits'), { recursive: true });
const names = Array.from({ length: pictures }, (_, at) => `dev-${at}-0-img0`);
for (const [row, name] of names.entries()) {
  const noise = uniforms({ seed: 0, purpose: 'choice', moment: 1, row }, 16 * 12 * 3);
  const raw = { width: 16, height: 12, channels: 3 } as const;
  const small = sharp(
    Uint8Array.from(noise, (value) => 256 * value),
    { raw },
  );
  // CIRR's images are photos of some 300,000 pixels, as PNG.
  await small
    .resize(640, 480, { kernel: 'cubic' })
    .png({ compressionLevel: 1 })
    .toFile(join(folder, 'dev', `${name}.png`));
}
const split = Object.fromEntries(names.map((name) => [name, `./dev/${name}.png`]));
const captions = Array.from({ length: queries }, (_, at) => {
  const first = upTo(pictures);
  const members = Array.from({ length: 6 }, (_, step) => names[(first + step) % pictures]!);
  const caption = Array.from({ length: 6 + upTo(10) }, () => words[upTo(words.length)]).join(' ');
  const img_set = { id: at, members, reference_rank: 0, target_rank: 1 };
  return { pairid: at, reference: members[0], target_hard: members[1], caption, img_set };
});
await writeFile(join(folder, 'cirr/image_splits/split.rc2.val.json'), JSON.stringify(split));
await writeFile(join(folder, 'cirr/captions/cap.rc2.val.json'), JSON.stringify(captions));
