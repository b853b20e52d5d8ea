/** What only browsers have: how ONNX Runtime is loaded there, whether there is a GPU, and what of models is in the page's storage. */

export { configureRuntime, mostThreads, type RuntimeChoices } from './engines.ts';
export { configureHub, type HubSettings } from './hub.ts';
export {
  describeModel,
  describePhi,
  downloadModel,
  downloadPhi,
  forgetModel,
  type KeptModel,
  keptModels,
  type RemoteFacts,
} from './kept-models.ts';
export { type OpenModelOptions, type OpenPhiOptions, openModel, openPhi } from './models.ts';
export { whyNothingIsKept } from './private-files.ts';
export { type WebgpuAdapter, webgpuAdapter, webgpuAvailable } from './webgpu.ts';
