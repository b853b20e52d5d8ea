/** Holds training steps against PyTorch's, which make_training_step.py recorded with noise and dropout masks given. */

import type { PreparedCaption } from '../src/captions/index.ts';
import { loadClip } from '../src/clip/index.ts';
import { readSafetensorsHeader, readTensor } from '../src/core/index.ts';
import { folderFiles, readingFile } from '../src/files/index.ts';
import type { Device, FloatPrecision } from '../src/onnx/index.ts';
import { phiParameterShapes, phiShape } from '../src/phi/network.ts';
import { adamW } from '../src/phi/optimizer.ts';
import { flatParameters } from '../src/training/parameters.ts';
import { TrainingStep } from '../src/training/step.ts';

export interface TrainingErrors {
  /** The largest relative error of all steps' losses. */
  readonly loss: number;
  /** Of the first step's gradients: the largest difference, relative to the largest entry of its parameter. */
  readonly gradient: number;
  /** Of each parameter after all steps: the length of the difference, relative to its own. */
  readonly weights: number;
  /**
   * Of the parameters' entries: the largest difference, relative to the largest entry. AdamW moves an entry whose gradient
   * is almost 0 by as much as any other, one way or the other as rounding has it: float32 is as far from float64 in this.
   */
  readonly entries: number;
  /** How far these moved, in the same measure. */
  readonly moved: number;
  readonly steps: number;
}

/** Trains phi for the model in `modelFolder` as the reference did; a step in runs of at most `positionsPerRun`. */
export async function trainingErrors(
  modelFolder: string,
  referenceFile: string,
  positionsPerRun: number,
  device: Device = 'cpu',
  precision: FloatPrecision = 'float32',
): Promise<TrainingErrors> {
  const { tensors: stored, metadata } = await readingFile(referenceFile, readSafetensorsHeader);
  const numbers = async (name: string): Promise<number[]> => {
    const { type, offset, byteLength } = stored.get(name)!;
    const bytes = await readingFile(referenceFile, (file) => file.read(offset, byteLength));
    if (type === 'uint8') return [...bytes];
    if (type === 'int64') return Array.from(new BigInt64Array(bytes.buffer), Number);
    return [...(await readTensor(stored.get(name)!)).data];
  };
  const optimizer: { lr: number; betas: number[]; eps: number; weight_decay: number } = JSON.parse(
    metadata.adamw!,
  );
  const clip = await loadClip(folderFiles(modelFolder));
  const shape = phiShape('lincir', clip.textConfig);
  const captions = await referenceCaptions(numbers);
  const [rows, steps] = [captions.length, stored.get('losses')!.shape[0]!];
  const initial = new Map(
    await Promise.all(
      [...phiParameterShapes(shape)].map(async ([name, sizes]) => {
        const data = Float32Array.from(await numbers(`initial.${name}`));
        return [name, { shape: sizes, data }] as const;
      }),
    ),
  );
  const parameters = flatParameters(shape, initial);
  const moments = { first: flatParameters(shape).values, second: flatParameters(shape).values };
  const noise = await numbers('noise');
  const masks = [await numbers('mask_0'), await numbers('mask_1')];
  const losses = await numbers('losses');
  const options = { positionsPerRun, l2Normalize: false, device, precision };
  const model = {
    config: clip.textConfig,
    tensors: clip.checkpoint.tensors,
    startOfText: clip.tokenizer.startOfText,
  };
  const graphs = await TrainingStep.create(model, shape, options);

  const targets = await graphs.embeddings(captions);

  const worst = { loss: 0, gradient: 0, weights: 0, entries: 0, moved: 0, steps };
  for (let step = 1; step <= steps; step += 1) {
    const part = (values: readonly number[]): Float32Array => {
      const size = values.length / steps;
      return Float32Array.from(values.slice((step - 1) * size, step * size));
    };
    const dropped = masks.map((mask) => part(mask).map((kept) => 2 * kept));
    const { errors, gradients } = await graphs.gradient(captions, targets, parameters.tensors, {
      noise: part(noise),
      masks: [dropped[0]!, dropped[1]!],
    });
    const loss = errors.reduce((sum, error) => sum + error, 0) / rows;
    worst.loss = Math.max(worst.loss, Math.abs(loss / losses[step - 1]! - 1));
    const flat = flatParameters(shape);
    for (const [name, { data: gradient }] of gradients) {
      flat.tensors.get(name)!.data.set(gradient);
      if (step === 1)
        worst.gradient = Math.max(worst.gradient, difference(gradient, await numbers(`gradient.${name}`)));
    }
    adamW(parameters.values, flat.values, moments, step, {
      learningRate: optimizer.lr,
      beta1: optimizer.betas[0]!,
      beta2: optimizer.betas[1]!,
      epsilon: optimizer.eps,
      weightDecay: optimizer.weight_decay,
    });
  }
  for (const [name, { data }] of parameters.tensors) {
    const final = await numbers(`final.${name}`);
    worst.weights = Math.max(worst.weights, distance(data, final));
    worst.entries = Math.max(worst.entries, difference(data, final));
    worst.moved = Math.max(worst.moved, difference(initial.get(name)!.data, final));
  }
  await graphs.dispose();
  await clip.dispose();
  return worst;
}

async function referenceCaptions(numbers: (name: string) => Promise<number[]>): Promise<PreparedCaption[]> {
  const placeholders = await numbers('placeholders'); // pairs of row and position
  const rowsOf = async (name: string, lengths: readonly number[]): Promise<number[][]> => {
    const ids = await numbers(name);
    return lengths.map((length, row) => ids.slice((row * ids.length) / lengths.length).slice(0, length));
  };
  const lengths = await numbers('lengths');
  const ids = await rowsOf('ids', lengths);
  const masked = await rowsOf('masked', await numbers('masked_lengths'));
  return lengths.map((_, row) => ({
    ids: ids[row]!,
    masked: masked[row]!,
    placeholders: placeholders.filter((_, at) => at % 2 === 1 && placeholders[at - 1] === row),
  }));
}

function distance(found: Float32Array, expected: readonly number[]): number {
  const squares = found.reduce((sum, value, at) => sum + (value - expected[at]!) ** 2, 0);
  return Math.sqrt(squares / expected.reduce((sum, value) => sum + value * value, 0));
}

function difference(found: Float32Array, expected: readonly number[]): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return found.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at]!)), 0) / largest;
}
