/** The miniature world's model in plain JavaScript: its towers, and phi. */

import {
  openTokenizer,
  openTowers,
  parametersOf,
  preprocessImage,
  textInputs,
  textTower,
  tokenBatches,
  visionInput,
  visionTower,
} from '../../../src/clip/index.ts';
import type { ComposingModel, PseudoTokenEncoder } from '../../../src/composition/index.ts';
import type { Float32Tensor, ModelFiles } from '../../../src/core/index.ts';
import { input } from '../../../src/onnx/index.ts';
import { type PhiInfo, type PhiParameters, phiGraph } from '../../../src/phi/index.ts';
import type { ImageSource } from '../../../src/pixels/index.ts';
import { plainGraph } from './plain.ts';

/** Token positions of one run. */
const positionsPerRun = 512;

/** The text tower of a model, whose files need no other weights. */
export async function openTextTower(files: ModelFiles): Promise<ComposingModel> {
  const { config, checkpoint } = await openTowers(files);
  const text = config.text!;
  const graph = await plainGraph(textTower(textInputs(text), text, parametersOf(checkpoint.tensors)));
  return {
    textConfig: text,
    tokenizer: await openTokenizer(files),
    async encodeTokens(rows) {
      const { projection } = text;
      const data = new Float32Array(rows.length * projection);
      for (const { members, feeds } of tokenBatches(rows, text, positionsPerRun)) {
        const found = graph.run(feeds).data;
        for (const [at, row] of members.entries()) {
          data.set(found.subarray(at * projection, (at + 1) * projection), row * projection);
        }
      }
      return { shape: [rows.length, projection], data };
    },
  };
}

/** Embeds an image: [1, projection], as CLIP gives it. */
export type EmbedImage = (image: ImageSource) => Promise<Float32Tensor>;

/** The vision tower of a model, whose files need no other weights. */
export async function openVisionTower(files: ModelFiles): Promise<EmbedImage> {
  const { config, checkpoint, openPreprocessing } = await openTowers(files);
  const vision = config.vision!;
  const preprocessing = await openPreprocessing!();
  const graph = await plainGraph(visionTower(visionInput(vision), vision, parametersOf(checkpoint.tensors)));
  return async (image) => {
    const data = await preprocessImage(image, preprocessing, { name: 'the drawing' });
    const { height, width } = preprocessing.crop;
    return graph.run({ pixels: { shape: [1, 3, height, width], data } });
  };
}

/** A phi. Its parameters are not copied: every use takes their current values. */
export async function openPhi(
  { shape, l2Normalize }: Pick<PhiInfo, 'shape' | 'l2Normalize'>,
  parameters: PhiParameters,
): Promise<PseudoTokenEncoder> {
  const named = [...parameters].map(
    ([name, { shape: sizes }]) => [name, input(name, 'float32', sizes)] as const,
  );
  const graph = await plainGraph(
    phiGraph(input('embeddings', 'float32', ['rows', shape.input]), shape, new Map(named)),
  );
  return {
    info: { l2Normalize },
    encode: async (embeddings) => graph.run({ ...Object.fromEntries(parameters), embeddings }),
  };
}
