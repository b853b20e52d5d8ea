/** What every other folder builds on: errors, tensors, files and the readers of weight files. */

export { type ErrorCode, LincirError, type Problem, quoted } from './errors.ts';
export {
  bytesPerElement,
  type ElementType,
  elementCount,
  type Float32Tensor,
  type StoredTensor,
} from './tensors.ts';
