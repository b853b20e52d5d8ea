/** A small language for ONNX graphs with gradients, run by ONNX Runtime. */

export { type Device, devices } from './choices.ts';
export { type Dimension, formatShape, minus, plus, type Shape, sameShape, times } from './dimensions.ts';
export { productFlops } from './flops.ts';
export * from './functions.ts';
export { gradients } from './gradients.ts';
export * from './operators.ts';
export type { RunTensor, Runtime } from './runtime.ts';
export { Session, type SessionOptions } from './session.ts';
export { constant, input, integers, sizeAt, type Value, weight } from './values.ts';
