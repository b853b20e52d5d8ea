/** A small language for ONNX graphs with gradients, and sessions that run them. */

export {
  type Device,
  devices,
  type FloatPrecision,
  floatPrecisions,
  type Precision,
  precisions,
  type WeightPrecision,
  weightPrecisions,
} from './choices.ts';
export { type Dimension, formatShape, minus, plus, sameShape, sizeOf } from './dimensions.ts';
export { productFlops } from './flops.ts';
export { asFloat32, crossEntropy, l2Normalize, layerNorm, linear, meanSquaredError } from './functions.ts';
export { gradients } from './gradients.ts';
export { type ModelFile, modelFiles, type StandaloneOptions } from './model-files.ts';
export {
  add,
  argMax,
  cast,
  concat,
  dimensions,
  div,
  type EightBitGrid,
  eightBitProduct,
  equal,
  exp,
  expand,
  fastGelu,
  gather,
  gatherElements,
  gatherND,
  gelu,
  gemm,
  greater,
  matmul,
  mul,
  multiHeadAttention,
  nonZero,
  pad,
  quantize,
  quickGelu,
  reduceMax,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  rotate,
  scatterND,
  slice,
  sqrt,
  sub,
  topK,
  transpose,
  where,
} from './operators.ts';
export { devicePrecisions, expectPrecision } from './precision.ts';
export type { RunTensor, Runtime, RuntimeSession, SessionOptions } from './runtime.ts';
export { Session } from './session.ts';
export { constant, eightBits, input, integers, sizeAt, type Value, weight } from './values.ts';
