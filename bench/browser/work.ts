/** What `bench/browser.ts` times, on Node and in pages alike: the miniature world's towers, and a training step of its phi. */

import type { PreparedCaption } from '../../src/captions/index.ts';
import { loadClip } from '../../src/clip/index.ts';
import type { ModelFiles } from '../../src/core/index.ts';
import type { SessionOptions } from '../../src/onnx/index.ts';
import { initialPhi, phiShape } from '../../src/phi/index.ts';
import { flatParameters } from '../../src/training/parameters.ts';
import { TrainingStep } from '../../src/training/step.ts';

export type Task = 'text' | 'images' | 'step';

export interface BrowserWork {
  /** Does it once, and says what came out. */
  run(task: Task): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** As training chooses them. */
const positionsPerRun = { cpu: 1024, webgpu: 4096 };
const pictures = 64;

/** @param captions the batch of a step */
export async function openWork(
  files: ModelFiles,
  captions: readonly PreparedCaption[],
  options: Pick<SessionOptions, 'device' | 'threads'>,
): Promise<BrowserWork> {
  const clip = await loadClip(files, options);
  const { textConfig: config, tokenizer, checkpoint } = clip;
  const { startOfText } = tokenizer;
  const shape = phiShape('lincir', config);
  const model = { config, tensors: checkpoint.tensors, startOfText };
  const step = await TrainingStep.create(model, shape, {
    ...options,
    positionsPerRun: positionsPerRun[options.device === 'webgpu' ? 'webgpu' : 'cpu'],
    l2Normalize: false,
  });
  const targets = await step.embeddings(captions);
  const parameters = flatParameters(shape, initialPhi(shape, 1));
  const ones = () => new Float32Array(captions.length * shape.hidden).fill(1);
  const noise = { noise: new Float32Array(targets.length), masks: [ones(), ones()] } as const;
  const images = Array.from({ length: pictures }, (_, picture) => {
    const data = Uint8Array.from({ length: 96 * 96 * 3 }, (_, at) => (at * (7 + picture)) % 251);
    return { width: 96, height: 96, data };
  });
  return {
    async run(task) {
      if (task === 'text') return await step.embeddings(captions);
      if (task === 'images') return (await clip.encodeImages(images)).data;
      const gradient = flatParameters(shape);
      await step.gradient(captions, targets, parameters.tensors, noise, gradient.tensors);
      return gradient.values;
    },
    async dispose() {
      await step.dispose();
      await clip.dispose();
    },
  };
}
