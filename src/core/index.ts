/** The base of all other folders: errors, tensors, and readers of weight files from any source of bytes. */

export { checkedValue, listOf, recordOf, shortJson } from './checked.ts';
export { type Checkpoint, missingFile, openCheckpoint, readWeights, weightFiles } from './checkpoint.ts';
export { chunks } from './chunks.ts';
export type { DownloadOptions, DownloadProgress, LicensedDownloadOptions } from './download.ts';
export {
  call,
  type ErrorCode,
  errorCode,
  isPassing,
  LincirError,
  listed,
  option,
  type Problem,
  quoted,
  unquoted,
} from './errors.ts';
export { formatBytes, formatCount, formatCounted, formatDuration, formatRate } from './format.ts';
export { halfOf, valueOfHalf } from './half.ts';
export { expectSecure, sha256 } from './hash.ts';
export { idPattern, isId } from './ids.ts';
export { parseJson, parseJsonText, readJson } from './json.ts';
export { parseJsonLine } from './json-line.ts';
export { hasForms, nameKey } from './names.ts';
export { npyHeader, readNpyHeader } from './npy.ts';
export { chunkLength, helpWithPasses, PassMemory, runPass } from './passes.ts';
export { bits, dropoutMask, normals, type RandomStream, sequence, uniforms } from './random.ts';
export { type FloatType, isFloatType, readOwnTensor, readTensor, toFloat32 } from './read-tensor.ts';
export { RowProducts } from './row-products.ts';
export { readSafetensorsHeader, type SafetensorsHeader, safetensorsHeader } from './safetensors.ts';
export { fileAt, filesAt } from './served-files.ts';
export type { ModelFiles, RandomAccess } from './source.ts';
export {
  bytesPerElement,
  type ElementType,
  elementCount,
  type Float32Tensor,
  isContiguous,
  normalizeRows,
  type StoredTensor,
} from './tensors.ts';
export { pickleCheckpoint, type TorchValue } from './torch-pickle.ts';
export { readTorchCheckpoint, stateDict } from './torch-zip.ts';
export { type KernelMemory, kernelMemory, pageLength, startKernel } from './webassembly.ts';
