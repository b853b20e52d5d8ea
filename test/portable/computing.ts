/** What the engine computes from bytes alone, on Node, where nothing of Node is, and in browsers. */

import { computePrefix, loadClip } from '../../src/clip/index.ts';
import { compose } from '../../src/composition/index.ts';
import type { Float32Tensor, ModelFiles, RandomAccess } from '../../src/core/index.ts';
import type { SessionOptions } from '../../src/onnx/index.ts';
import {
  CountedSession,
  initialPhi,
  loadPhi,
  Phi,
  phiShape,
  reconstructionGraph,
  towerBatches,
} from '../../src/phi/index.ts';

/** @param given a CLIP model's files by their names, and a published phi for it, `phi` */
export async function computed(
  given: Readonly<Record<string, Uint8Array>>,
  options: Pick<SessionOptions, 'device'> = {},
) {
  const files = memoryFiles(given);
  const clip = await loadClip(files, options);
  const texts = await clip.encodeTexts(['a photo of a red hat', 'two dogs', 'it’s a <|endoftext|>']);
  const images = await clip.encodeImages(pictures);
  const rounded = await loadClip(files, { precision: 'int8' });
  const eightBits = await rounded.encodeImages(pictures);
  await rounded.dispose();
  const shape = phiShape('lincir', clip.textConfig);
  const phi = await Phi.create({ shape, l2Normalize: false }, initialPhi(shape, 1), options);
  const queries: Record<string, Float32Array> = {};
  for (const method of ['lincir', 'slerp'] as const) {
    const asked = { clip, phi, images: pictures.slice(0, 1), text: 'at night', without: 'a cat', method };
    queries[method] = (await compose(asked)).vector;
  }
  const published = await loadPhi((await files.read('phi'))!, options);
  const width = published.info.shape.input; // tiny fixtures of models and phis do not fit each other
  const pseudoTokens = await published.encode({ shape: [1, width], data: texts.data.slice(0, width) });
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
      ...(await errorAndGradient(clip, texts, options)),
    },
  };
  for (const owner of [clip, phi, published]) await owner.dispose();
  return results;
}

const pictures = [31, 90, 224].map((width) => {
  const data = Uint8Array.from({ length: width * 20 * 3 }, (_, at) => (at * 7) % 251);
  return { width, height: 20, data };
});

/** Of a text with a vector in place of its second token, by that vector: through the whole text tower and back. */
async function errorAndGradient(
  { textConfig: config, tokenizer, checkpoint }: Awaited<ReturnType<typeof loadClip>>,
  { data: texts }: Float32Tensor,
  options: SessionOptions,
): Promise<Readonly<Record<'errors' | 'gradient', Float32Array>>> {
  const { startOfText } = tokenizer;
  const model = { config, tensors: checkpoint.tensors, startOfText };
  const prefix = await computePrefix(model, [startOfText!], options);
  const session = await CountedSession.create(reconstructionGraph(model), options);
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
