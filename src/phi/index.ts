/** phi: the network that turns an image's embedding into a pseudo token, its files, and inversion by optimization. */

export { type PhiArchitecture, phiArchitectures } from './choices.ts';
export { type LoadPhiOptions, loadPhi, Phi } from './encoder.ts';
export { expectPhiFits, type PhiInfo, phiCheckpoint, phiTensors, readPhi, type StoredPhi } from './file.ts';
export {
  CountedSession,
  encoderGraph,
  FlopCounter,
  phiGraphs,
  reconstructionGraph,
  type TextModel,
  towerBatches,
} from './graphs.ts';
export {
  checkedInversion,
  type InvertOptions,
  inversionSettings,
  invert,
  invertedBatches,
} from './inversion.ts';
export {
  defaultDropout,
  initialPhi,
  type PhiParameters,
  type PhiShape,
  phiGraph,
  phiParameterShapes,
  phiShape,
  widthLimit,
} from './network.ts';
export { adamW, addToMean, clipByNorm, type Moments, updateAverage } from './optimizer.ts';
export { learningRateAt, schedules } from './schedule.ts';
