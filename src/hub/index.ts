/** Models from the Hugging Face hub, in the cache that all of its tools share, and data sets from there. */

export { datasetPresets, modelPresets, type PhiPreset, phiPresets } from './choices.ts';
export { openDataset } from './datasets.ts';
export type { Variables } from './environment.ts';
export {
  type CachedModel,
  listCachedModels,
  pullModel,
  type ResolveOptions,
  resolveModel,
} from './models.ts';
export { openModel, openPhi } from './open.ts';
export { phiFileOf, runPhis } from './phi-file.ts';
export {
  isPhiCached,
  phiPresetFor,
  pullPhi,
} from './phis.ts';
