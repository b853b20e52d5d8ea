/** What only browsers have: how ONNX Runtime is loaded there, and whether there is a GPU. */

export { configureRuntime, mostThreads, type RuntimeChoices } from './engines.ts';
export { type WebgpuAdapter, webgpuAdapter, webgpuAvailable } from './webgpu.ts';
