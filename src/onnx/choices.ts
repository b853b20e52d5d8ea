/** The devices that compute graphs, and the number formats they compute in. */

export const devices = ['cpu', 'webgpu', 'cuda'] as const;
export type Device = (typeof devices)[number];

/**
 * Number formats of matrix products. Sums, statistics and everything else stay float32.
 * - `float32`: exact, the default, on every device
 * - `tf32`: float32 with 10 bits of mantissa, on CUDA
 * - `bfloat16`: where ONNX Runtime has such products: on ARM processors
 * - `float16`: on GPUs
 * - `int8`: 8-bit whole numbers, for encoding images on a CPU
 */
export const floatPrecisions = ['float32', 'tf32', 'bfloat16', 'float16'] as const;
export type FloatPrecision = (typeof floatPrecisions)[number];
export const precisions = [...floatPrecisions, 'int8'] as const;
export type Precision = (typeof precisions)[number];

/** What models for others' programs store weights and compute products in. */
export const weightPrecisions = ['float32', 'float16'] as const;
export type WeightPrecision = (typeof weightPrecisions)[number];
