/** How many token positions a device computes at once: a few fill a CPU's cache, many keep a GPU busy. */

import type { TextConfig } from '../clip/index.ts';
import type { Device, SessionOptions } from '../onnx/index.ts';
import { nvidiaGpus } from '../runtime/index.ts';
import type { TrainingSettings } from './settings.ts';

const usual: Readonly<Record<Device, number>> = { cpu: 1024, webgpu: 4096, cuda: 4096 };
/** More than this keeps no GPU busier. */
const most = 16_384;
const least = 512;
/** The part of a GPU's memory that is counted on: the rest is for phi, and for what memory management wastes. */
const usable = 0.5;

/** The positions of one run of the towers. Several devices all take the same number, wherever they are. */
export function positionsOf(
  settings: Pick<TrainingSettings, 'positionsPerRun' | 'device' | 'devices' | 'precision'>,
  config: TextConfig,
): number {
  const { positionsPerRun, devices } = settings;
  return positionsPerRun ?? (devices ? usual.cpu : positionsFor(config, settings));
}

/**
 * What suits a device. On CUDA, as many as the smallest GPU has memory for; a power of two.
 * @param memory of the GPU, in bytes; undefined where nobody tells
 */
export function positionsFor(
  config: TextConfig,
  { device = 'cpu', precision }: Pick<SessionOptions, 'device' | 'precision'>,
  memory = device === 'cuda' ? smallestMemory() : undefined,
): number {
  if (memory === undefined) return usual[device];
  const bytes = precision === 'float16' ? 2 : 4;
  const { layers, width, feedForward, heads, positions } = config;
  // What the forward pass keeps for the backward pass: norms, queries, keys, values, feed-forward layers, attention.
  const kept = layers * (10 * width + 4 * feedForward + 3 * heads * positions) * bytes;
  // One graph for embeddings, and one for errors and gradients.
  const weights = 2 * layers * (4 * width ** 2 + 2 * width * feedForward) * bytes;
  const room = Math.max(1, (usable * memory - weights) / kept);
  return Math.min(most, Math.max(least, 2 ** Math.floor(Math.log2(room))));
}

function smallestMemory(): number | undefined {
  const told = nvidiaGpus().flatMap(({ memory }) => (memory ? [memory] : []));
  return told.length > 0 ? Math.min(...told) : undefined;
}
