/** What `lincir` has in Node and in browsers. */

export {
  Clip,
  type ClipConfig,
  type EncodeImagesOptions,
  type EncodeOptions,
  type EncodeTextsOptions,
  type Injection,
  type LoadClipOptions,
  loadClip,
  type TextConfig,
  type TextTokenizer,
  type TokenRow,
  type VisionConfig,
} from './clip/index.ts';
export {
  type ComposeOptions,
  compose,
  type Method,
  methods,
  type NearestRow,
  nearest,
  type PseudoTokenEncoder,
  type Query,
  type Reference,
} from './composition/index.ts';
export {
  type DownloadProgress,
  type ErrorCode,
  type Float32Tensor,
  fileAt,
  filesAt,
  LincirError,
  type ModelFiles,
  type Problem,
  type RandomAccess,
} from './core/index.ts';
export { type Device, devices, type Precision, precisions } from './onnx/index.ts';
export { type LoadPhiOptions, loadPhi, Phi, type PhiInfo } from './phi/index.ts';
export type { ImageSource } from './pixels/index.ts';
