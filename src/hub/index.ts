/** Models and data sets from the Hugging Face hub, and the cache that its tools share. */

export { datasetPresets, modelPresets, type PhiPreset, phiPresets } from './choices.ts';
export { openDataset } from './datasets.ts';
export { readHubEnvironment, type Variables } from './environment.ts';
export { isHubId } from './ids.ts';
export {
  type CachedModel,
  listCachedModels,
  pullModel,
  type ResolveOptions,
  resolveModel,
} from './models.ts';
export { miniature } from './names.ts';
export { openModel, openPhi } from './open.ts';
export { phiFileOf, runPhis } from './phi-file.ts';
export { modelOfPhi } from './phi-names.ts';
export { isPhiCached, phiPresetFor, pullPhi } from './phis.ts';
export { type Uploaded, type UploadOptions, uploadFiles } from './upload.ts';
