/** Proves a device: matrix products, towers and gradients of a model there, held against those on the CPU. */

import { createPreparation } from '../captions/index.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { type Float32Tensor, normals } from '../core/index.ts';
import { type Device, gemm, input, type Precision, Session, type SessionOptions } from '../onnx/index.ts';
import { TowerGraphs, Towers } from '../training/index.ts';

export interface Proof {
  readonly what: string;
  /** The largest difference from the CPU, relative to the largest entry. */
  readonly error: number;
  /** The largest error that counts as right. */
  readonly bound: number;
}

export interface DeviceOptions {
  /** Default: 'cpu', which is held against one thread of itself. */
  readonly device?: Device;
  /** Default: 'float32' */
  readonly precision?: Precision;
  /** Default: the miniature world's. */
  readonly model?: string;
  readonly threads?: number;
}

/** Rounding of a precision, through all layers of a tower. */
const bounds: Readonly<Record<Precision, number>> = {
  float32: 1e-4,
  tf32: 2e-2,
  bfloat16: 0.1,
  float16: 5e-2, // WebGPU adds up in float16: ViT-L/14's gradients of texts are off by 2.3e-2
  int8: 6e-2, // 1.7e-2 for the miniature world's CLIP, 1.4e-2 for random weights
};

/** Of different lengths, so that there is padding. */
const captions = [
  'a red heart and a blue diamond on a beach',
  'two dogs run over the snow at sunset',
  'a small bird',
  'a photo of a man with a hat and a woman with an umbrella in front of a white house near the sea',
];
const positionsPerRun = 256;
const pictures = 2;

/**
 * Computes the same on the device and on the CPU.
 * @throws LincirError 'device' if the device is missing or refuses the graphs, and whatever loading a model throws
 */
export async function proveDevice(options: DeviceOptions = {}): Promise<Proof[]> {
  const { device, precision = 'float32', model = 'mini', threads } = options;
  // int8 is for images alone.
  const where: SessionOptions = { device, threads, precision: precision === 'int8' ? 'float32' : precision };
  const alone = { device: 'cpu', threads: 1 } as const;
  const reference = await loadClip(model, alone);
  const tested = await loadClip(model, { device, precision, threads });
  try {
    const bound = bounds[where.precision!];
    const proofs: Proof[] = [];
    const compare = (what: string, found: Float32Array, expected: Float32Array, most = bound) =>
      proofs.push({ what, error: relativeError(found, expected), bound: most });
    compare('matrix product', await product(where), await product(alone));
    if (reference.config.text) {
      const [found, expected] = [await textResults(tested, where), await textResults(reference, alone)];
      compare('text embeddings', found.embeddings, expected.embeddings);
      compare('errors of pseudo tokens', found.errors, expected.errors);
      compare('gradients of pseudo tokens', found.gradient, expected.gradient);
    }
    if (reference.config.vision) {
      const pixels = noise(pictures * 3 * reference.visionConfig.imageSize ** 2, 1);
      const [found, expected] = [await tested.encodePixels(pixels), await reference.encodePixels(pixels)];
      compare('image embeddings', found.data, expected.data, bounds[precision]);
    }
    return proofs;
  } finally {
    await Promise.all([reference.dispose(), tested.dispose()]);
  }
}

async function product(options: SessionOptions): Promise<Float32Array> {
  const [rows, inner, columns] = [96, 1024, 160];
  const a = input('a', 'float32', [rows, inner]);
  const b = input('b', 'float32', [inner, columns]);
  const session = await Session.create({ c: gemm(a, b) }, options);
  const matrix = (shape: [number, number], row: number): Float32Tensor => {
    return { shape, data: noise(shape[0] * shape[1], row) };
  };
  const { c } = await session.run<'c'>({ a: matrix([rows, inner], 2), b: matrix([inner, columns], 3) });
  await session.dispose();
  return c.data;
}

/** What training computes of the frozen text tower. */
async function textResults({ tokenizer, textConfig: config, checkpoint }: Clip, options: SessionOptions) {
  const model = { config, tensors: checkpoint.tensors, startOfText: tokenizer.startOfText };
  const prepare = await createPreparation(tokenizer, 'spans');
  const prepared = captions.map((caption) => prepare(caption, () => 0));
  const towers = new Towers(model, positionsPerRun, await TowerGraphs.create(model, options));
  try {
    const embeddings = await towers.embeddings(prepared);
    const pseudo = noise(prepared.length * config.width, 4);
    const targets = noise(prepared.length * config.projection, 5);
    return { embeddings, ...(await towers.reconstruction(prepared, pseudo, targets)) };
  } finally {
    await towers.dispose();
  }
}

function noise(count: number, row: number): Float32Array {
  return normals({ seed: 0, purpose: 'choice', moment: 0, row }, count);
}

function relativeError(found: Float32Array, expected: Float32Array): number {
  let [difference, largest] = [0, 0];
  for (const [at, value] of expected.entries()) {
    const apart = Math.abs(found[at]! - value);
    if (!(apart <= difference)) difference = apart; // NaN is never right
    largest = Math.max(largest, Math.abs(value));
  }
  return difference / largest;
}
