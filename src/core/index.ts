/** What every other folder builds on: errors, tensors, files and the readers of weight files. */

export { asideIn, removeLeftovers } from './asides.ts';
export { cacheFolder } from './cache-folder.ts';
export { checkedValue, listOf, recordOf, shortJson } from './checked.ts';
export { type Checkpoint, openCheckpoint } from './checkpoint.ts';
export { chunks } from './chunks.ts';
export { type ErrorCode, errorCode, LincirError, type Problem, quoted } from './errors.ts';
export {
  asLincirError,
  isPassing,
  type OpenFile,
  openFile,
  type RandomAccess,
  readingFile,
} from './files.ts';
export { formatBytes, formatCount, formatCounted, formatDuration, formatRate } from './format.ts';
export { parseJson, parseJsonText, readJsonFile } from './json.ts';
export { parseJsonLine } from './json-line.ts';
export { batched, fileLines, readLines } from './lines.ts';
export { aloneIn, exclusively, type Lock, takeLock } from './lock.ts';
export { hasForms, nameKey, pathOnDisk, pathsOnDisk } from './names.ts';
export { type NpyHeader, readNpyHeader, writeNpy } from './npy.ts';
export { bits, normals, type Purpose, type RandomStream, sequence, uniforms } from './random.ts';
export { type FloatType, isFloatType, readOwnTensor, readTensor, toFloat32 } from './read-tensor.ts';
export {
  readSafetensorsHeader,
  type SafetensorsHeader,
  type TensorToWrite,
  writeSafetensors,
} from './safetensors.ts';
export {
  bytesPerElement,
  type ElementType,
  elementCount,
  type Float32Tensor,
  isContiguous,
  normalizeRows,
  type StoredTensor,
} from './tensors.ts';
export { readTorchCheckpoint, stateDict } from './torch-zip.ts';
export { VectorCache } from './vector-cache.ts';
export { versions } from './versions.ts';
export { makeFolder, writeFileAtomically } from './write-file.ts';
