/** Makes the files of the miniature world for a browser: draws and embeds its pictures, and packs all that is downloaded. */

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { cleanCaption, createTagger, maskCaption } from '../../../src/captions/portable.ts';
import { type Clip, loadClip } from '../../../src/clip/index.ts';
import { readSafetensorsHeader, readTensor, type StoredTensor } from '../../../src/core/index.ts';
import { fileSource } from '../../../src/files/index.ts';
import { buildBenchmark, type MiniBenchmark, miniCaptions } from '../../../src/mini/portable.ts';
import { renderScene } from '../../../src/mini/world/render-pixels.ts';
import { loadPhi } from '../../../src/phi/index.ts';
import { evaluated } from './evaluating.ts';
import { type Gallery, packGallery, unpackGallery } from './gallery.ts';
import { apart, type PackedFile, packedFiles } from './packed.ts';
import { type ShownMethod, shownMethods } from './protocol.ts';
import { fileOf, packTensors } from './rounded.ts';
import type { WorldFile } from './world-file.ts';

const root = resolve(import.meta.dirname, '../../..');
const model = join(root, 'models/mini');
/** What decides the files, besides the versions of packages. */
const ingredients = [model, join(root, 'src/mini'), join(root, 'src/clip')];
const recipes = ['pack.ts', 'packed.ts', 'gallery.ts', 'rounded.ts', 'evaluating.ts', 'asking.ts'].map(
  (name) => join(import.meta.dirname, name),
);
const modelSide = 64;
const examples = 60;

/** The folder with the packed files of this state of the project: made now, if it is not there. */
export async function packedWorld(): Promise<string> {
  const hash = createHash('sha256');
  for (const path of [...recipes, ...(await Promise.all(ingredients.map(filesIn))).flat()]) {
    hash.update(await readFile(path));
  }
  const folder = join(root, 'node_modules/.cache/lincir-world', hash.digest('hex').slice(0, 16));
  const isThere = await readdir(folder).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  const partial = `${folder}.${process.pid}`;
  await packWorld(partial);
  await rename(partial, folder).catch(() => rm(partial, { recursive: true })); // another process was faster
  return folder;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'));
  return files.map(({ parentPath, name }) => join(parentPath, name)).sort();
}

/** Writes the packed files to a folder. The same files each time. */
async function packWorld(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const sizes: Partial<Record<PackedFile, number>> = {};
  const write = async (name: PackedFile, bytes: Uint8Array) => {
    const packed = gzipSync(apart(bytes, packedFiles[name]), { level: 9 });
    sizes[name] = packed.length;
    await writeFile(join(folder, name), packed);
  };
  const world = buildBenchmark(1, { gallery: 4000, queries: 600 });
  const clip = await loadClip(model);
  const gallery = packGallery(await clip.encodeImages(await drawn(world)));
  await write('gallery.bin', gallery);
  const [text, vision] = await Promise.all([tower(clip, 'text'), tower(clip, 'vis')]);
  await write('text-bytes.bin', packTensors(text));
  await write('vision-bytes.bin', packTensors(vision));
  const exact = text.map(([name, { shape, data }]) => ({ name, type: 'float32' as const, shape, data }));
  await write('text.bin', fileOf(exact));
  const phi = await readSafetensorsHeader(await fileSource(join(model, 'phi.safetensors')));
  await write('phi-bytes.bin', packTensors(await valuesOf([...phi.tensors.values()]), phi.metadata));
  const engine = import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm');
  await write('engine.bin', await readFile(fileURLToPath(engine)));
  const figures = await figuresOf(world, clip, await unpackGallery(gallery));
  const file: WorldFile = { sizes, figures, ...(await worldFile(world)) };
  await write('world.bin', new TextEncoder().encode(JSON.stringify(file)));
  await clip.dispose();
}

async function worldFile({ gallery, queries }: MiniBenchmark): Promise<Omit<WorldFile, 'sizes' | 'figures'>> {
  const json = async (name: string) => JSON.parse(await readFile(join(model, name), 'utf8'));
  const config = await json('config.json');
  const tag = await createTagger();
  const masked: WorldFile['examples'][number][] = [];
  for await (const said of miniCaptions(examples, 0)) {
    const caption = cleanCaption(said);
    const keywords = tag(caption);
    masked.push({ caption, keywords, masked: maskCaption(caption, keywords, 'spans', () => 0).text });
  }
  return {
    text: {
      'config.json': config.text_config,
      'tokenizer.json': await json('tokenizer.json'),
    },
    vision: {
      'config.json': config.vision_config,
      'preprocessor_config.json': await json('preprocessor_config.json'),
    },
    pictures: gallery,
    queries,
    examples: masked,
  };
}

/** What each method reaches on the gallery that is downloaded, by the exact text tower and the phi that is ready. */
async function figuresOf(
  { queries }: MiniBenchmark,
  clip: Clip,
  gallery: Gallery,
): Promise<WorldFile['figures']> {
  const phi = await loadPhi(join(model, 'phi.safetensors'), { clip });
  const figures: Partial<Record<ShownMethod, number>> = {};
  for (const method of shownMethods) {
    figures[method] = (await evaluated(method, clip, phi, gallery, queries)).meanAveragePrecision;
  }
  await phi.dispose();
  return figures as WorldFile['figures'];
}

/** The gallery's pictures as the model sees them. */
async function drawn({ gallery }: MiniBenchmark) {
  const pictures: Awaited<ReturnType<typeof renderScene>>[] = [];
  for (let first = 0; first < gallery.length; first += 64) {
    const some = gallery.slice(first, first + 64);
    pictures.push(
      ...(await Promise.all(some.map(({ scene, variant }) => renderScene(scene, modelSide, variant)))),
    );
  }
  return pictures;
}

/** One tower's weights. */
function tower({ checkpoint }: Clip, name: 'text' | 'vis') {
  return valuesOf([...checkpoint.tensors.values()].filter((tensor) => tensor.name.startsWith(name)));
}

function valuesOf(stored: readonly StoredTensor[]) {
  return Promise.all(stored.map(async (tensor) => [tensor.name, await readTensor(tensor)] as const));
}
