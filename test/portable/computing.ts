/** What the engine computes from bytes alone: `test/portable.test.ts` runs it on Node, and where nothing of Node is. */

import { computePrefix, loadClip } from '../../src/clip/index.ts';
import { compose } from '../../src/composition/index.ts';
import type { Float32Tensor, ModelFiles, RandomAccess } from '../../src/core/index.ts';
import {
  CountedSession,
  initialPhi,
  loadPhi,
  Phi,
  phiShape,
  reconstructionGraph,
  towerBatches,
} from '../../src/phi/index.ts';

/** @param given a CLIP model's files by their names, and a published phi, `phi.pt` */
export async function computed(given: Readonly<Record<string, Uint8Array>>) {
  const files = memoryFiles(given);
  const clip = await loadClip(files);
  const texts = await clip.encodeTexts(['a photo of a red hat', 'two dogs', 'it’s a <|endoftext|>']);
  const image = { width: 31, height: 20, data: Uint8Array.from({ length: 1860 }, (_, at) => (at * 7) % 251) };
  const images = await clip.encodeImages([image]);
  const rounded = await loadClip(files, { precision: 'int8' });
  const eightBits = await rounded.encodeImages([image]);
  await rounded.dispose();
  const shape = phiShape('lincir', clip.textConfig);
  const phi = await Phi.create({ shape, l2Normalize: false }, initialPhi(shape, 1));
  const queries: Record<string, Float32Array> = {};
  for (const method of ['lincir', 'slerp'] as const) {
    const options = { clip, phi, images: [image], text: 'at night', without: 'a cat', method };
    queries[method] = (await compose(options)).vector;
  }
  const published = await loadPhi((await files.read('phi.pt'))!);
  const pseudoTokens = await published.encode({ shape: [1, 6], data: texts.data.slice(0, 6) });
  const results = {
    fingerprint: clip.fingerprint,
    values: {
      ...{
        eightBits: eightBits.data,
        texts: texts.data,
        images: images.data,
        pseudoTokens: pseudoTokens.data,
        ...queries,
      },
      ...(await errorAndGradient(clip, texts)),
    },
  };
  for (const owner of [clip, phi, published]) await owner.dispose();
  return results;
}

/** Of a text with a vector in place of its second token, by that vector: through the whole text tower and back. */
async function errorAndGradient(
  { textConfig: config, tokenizer, checkpoint }: Awaited<ReturnType<typeof loadClip>>,
  { data: texts }: Float32Tensor,
): Promise<Readonly<Record<'errors' | 'gradient', Float32Array>>> {
  const { startOfText } = tokenizer;
  const model = { config, tensors: checkpoint.tensors, startOfText };
  const prefix = await computePrefix(model, [startOfText!], {});
  const session = await CountedSession.create(reconstructionGraph(model), {});
  const vector = Float32Array.from({ length: config.width }, (_, at) => Math.sin(at));
  const rows = [{ ids: tokenizer.encode('a photo of $').ids, injected: [{ position: 2, vector }] }];
  const [batch] = towerBatches(rows, config, 512, prefix);
  const wanted = { shape: [1, config.projection], data: texts.slice(0, config.projection) };
  const results = await session.run({ ...batch!.feeds, wanted }, batch!.sizes);
  await session.dispose();
  return { errors: results.errors.data, gradient: results.gradient.data };
}

function memoryFiles(given: Readonly<Record<string, Uint8Array>>): ModelFiles {
  const fileOf = (name: string, bytes: Uint8Array): RandomAccess => ({
    name,
    size: bytes.length,
    read: async (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
  });
  return {
    name: 'memory',
    read: async (name) => (given[name] ? fileOf(name, given[name]) : undefined),
  };
}
