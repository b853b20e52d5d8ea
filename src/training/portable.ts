/** What needs no platform of training: a step's loss and gradient, its random part, how phi moves, settings. */

export { type DrawOptions, type Draws, drawPass } from './draw-pass.ts';
export { knownOrMade, memoryStore } from './known-embeddings.ts';
export {
  type LearningParts,
  type LearningState,
  lossOf,
  moveBy,
} from './learning.ts';
export { type FlatParameters, flatParameters, parameterCount } from './parameters.ts';
export { checkedSettings, type TrainingSettings, type TrainingSettingsInput } from './settings.ts';
export { TrainingStep } from './step.ts';
export { TowerGraphs } from './tower-graphs.ts';
export type { TowerRunner } from './tower-task.ts';
