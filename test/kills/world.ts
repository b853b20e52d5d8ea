/** What commands under kills work on: images, texts, captions, a benchmark and an index, made once. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lincir } from '../command-line.ts';
import { writePicture } from '../pictures.ts';

export const model = join(import.meta.dirname, '../fixtures/tiny-clip');
export const pictureCount = 120;
const benchmarkPictures = 60;

/** Makes it in a folder, for rounds that run in folders beside these. */
export async function makeWorld(folder: string): Promise<void> {
  await mkdir(join(folder, 'photos'), { recursive: true });
  await mkdir(join(folder, 'benchmark/images'), { recursive: true });
  for (let number = 0; number < pictureCount; number += 1)
    await writePicture(join(folder, `photos/${number}.png`), number);
  for (let number = 0; number < benchmarkPictures; number += 1)
    await writePicture(join(folder, `benchmark/images/${number}.png`), number);
  const queries = Array.from({ length: 20 }, (_, at) => ({
    reference: `images/${at}.png`,
    text: at % 2 ? 'is red' : 'has two dogs',
    targets: [`images/${at + 20}.png`],
  }));
  await writeFile(
    join(folder, 'benchmark/queries.jsonl'),
    queries.map((query) => JSON.stringify(query)).join('\n'),
  );
  const sentences = (count: number) =>
    Array.from(
      { length: count },
      (_, at) => `a ${at % 3 ? 'red' : 'small'} dog number ${at} sits on the beach`,
    );
  await writeFile(join(folder, 'texts.txt'), sentences(1500).join('\n'));
  await writeFile(join(folder, 'captions.txt'), sentences(200).join('\n'));
  const ratings = Array.from({ length: pictureCount }, (_, at) => `photos/${at}.png,${at % 5}`);
  await writeFile(join(folder, 'ratings.csv'), ['path,rating', ...ratings].join('\n'));
  const args = ['index', 'photos', '--index', 'ready.lance', '--model', model, '--metadata', 'ratings.csv'];
  const { code, stderr } = await lincir(args, { folder });
  if (code !== 0) throw new Error(stderr);
}
