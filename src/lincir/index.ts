/** The method: phi, its training from captions, and its files. */

export { type InversionSettings, type InvertOptions, invert } from './inversion.ts';
export { type InvertCachedOptions, invertCached } from './inversion-cache.ts';
export type { StepMetrics, ValidationMetrics } from './metrics.ts';
export type { RunHooks, RunOptions } from './open-run.ts';
export { adamW, clipByNorm, type Moments } from './optimizer.ts';
export {
  initialPhi,
  type PhiArchitecture,
  type PhiParameters,
  type PhiShape,
  phiArchitectures,
  phiShape,
} from './phi.ts';
export { type LoadPhiOptions, loadPhi, Phi, phiFileOf } from './phi-encoder.ts';
export { expectPhiFits, type PhiInfo, readPhi, type StoredPhi, writePhi } from './phi-file.ts';
export { learningRateAt, type Schedule, schedules } from './schedule.ts';
export type { TrainingSettings, TrainingSettingsInput } from './settings.ts';
export { type TrainingBegin, type TrainingEvent, trainPhi } from './train.ts';
export type { Validation } from './validation.ts';
