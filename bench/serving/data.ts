/** What the servers are asked: an index of 10,000 ready embeddings, and queries with a known image and words. */

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { uniforms } from '../../src/core/index.ts';
import { writeSafetensors } from '../../src/files/index.ts';
import { backendOf } from '../../src/store/index.ts';
import { clusteredVectors } from '../clustered-vectors.ts';

export const galleryImages = 10_000;
/** How long embeddings of CLIP are, about. phi reads the length. */
const norm = 10;

export interface Gallery {
  readonly index: string;
  /** safetensors with the same embeddings, [images, dimensions], row by row. */
  readonly embeddings: string;
  /** Of each row. */
  readonly ids: readonly string[];
}

/** A composed query by id. */
export interface Question {
  readonly row: number;
  readonly id: string;
  readonly text: string;
}

/** Indexes random embeddings, as `lincir index --embeddings` does with those of another program. */
export async function makeGallery(model: string, dimensions: number, folder: string): Promise<Gallery> {
  const [index, embeddings, names] = ['gallery.lance', 'gallery.safetensors', 'names.txt'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const source = await clusteredVectors(dimensions);
  const vectors = await source.draw(1, 0, galleryImages);
  await source.dispose();
  await writeSafetensors(embeddings, [
    {
      ...{ name: 'embeddings', type: 'float32', shape: [galleryImages, dimensions] },
      data: vectors.map((value) => norm * value),
    },
  ]);
  const paths = Array.from({ length: galleryImages }, (_, row) => `photos/${row % 100}/${row}.jpg`);
  await writeFile(names, paths.map((path) => `${path}\n`).join(''));
  const main = join(import.meta.dirname, '../../src/cli/main.ts');
  const options = ['--index', index, '--model', model, '--embeddings', embeddings, '--names', names];
  await promisify(execFile)(process.execPath, [main, 'index', ...options]);

  const { backend, location } = await backendOf(index);
  const store = await backend.open(location, 'read');
  const idOf = new Map<string, string>();
  for await (const images of store.images()) for (const { path, id } of images) idOf.set(path, id);
  await store.close();
  return { index, embeddings, ids: paths.map((path) => idOf.get(path)!) };
}

/** As people type: two to seven words. */
const beginnings = ['is', 'but', 'make it', 'with', 'the same, but', 'looks'];
const changes = [
  'red',
  'dark green',
  'black and white',
  'older',
  'two dogs',
  'a child with a kite',
  'much larger',
];
const places = ['', 'at night', 'on the beach', 'in the snow', 'from above'];

/** So many different queries: nothing that remembers answers gains from asking each once. */
export function drawQuestions(ids: readonly string[], count: number): Question[] {
  const texts = beginnings.flatMap((beginning) =>
    changes.flatMap((change) => places.map((place) => `${beginning} ${change} ${place}`.trim())),
  );
  return Array.from({ length: count }, (_, number) => {
    const drawn = uniforms({ seed: 7, purpose: 'order', moment: number, row: 0 }, 2);
    const row = Math.floor(drawn[0]! * ids.length);
    return { row, id: ids[row]!, text: texts[Math.floor(drawn[1]! * texts.length)]! };
  });
}
