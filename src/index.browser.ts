/** lincir in browsers: what `lincir` is to bundlers that set the condition `browser`. */

export {
  configureHub,
  configureRuntime,
  describeModel,
  describePhi,
  downloadModel,
  downloadPhi,
  forgetModel,
  type HubSettings,
  type KeptModel,
  keptModels,
  mostThreads,
  type RemoteFacts,
  type RuntimeChoices,
  type WebgpuAdapter,
  webgpuAdapter,
  webgpuAvailable,
  whyNothingIsKept,
} from './browser/index.ts';
export * from './portable.ts';
