/** A batch for the frozen text tower, and what comes back: the piece of a step that any device can compute. */

import type { TextInputs } from '../clip/index.ts';
import type { RunTensor } from '../onnx/index.ts';

export const towerKinds = ['embeddings', 'reconstruction'] as const;
export type TowerKind = (typeof towerKinds)[number];

/** Captions of similar length that are computed together. */
export interface TowerTask {
  readonly kind: TowerKind;
  /** The tower's inputs; of a reconstruction, also the `wanted` embeddings [batch, projection]. */
  readonly feeds: Readonly<Record<keyof TextInputs, RunTensor> & { wanted?: RunTensor }>;
}

/**
 * What was asked of a batch, by name: `embeddings` [batch, projection], or `errors` [batch] and `gradient`
 * [placements, width], that of the errors' sum.
 */
export type TowerResult = Readonly<Record<string, Float32Array>>;

/** What computes batches: a device of this process, or many. */
export interface TowerRunner {
  /** The results of all tasks, in their order. */
  run(tasks: readonly TowerTask[]): Promise<readonly TowerResult[]>;
  dispose(): Promise<void>;
}

/** The sizes of the symbols in the graphs of a task. */
export function sizesOf({ feeds: { ids, injected } }: TowerTask) {
  const [batch, positions] = ids.shape;
  return { batch: batch!, positions: positions!, placements: injected.shape[0]!, prefix: 1 };
}
