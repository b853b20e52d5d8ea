/** How fast a device multiplies matrices: the limit of everything else that it computes. */

import { normals } from '../core/index.ts';
import { constant, gemm, input, Session, type SessionOptions, slice } from '../onnx/index.ts';

export interface ProductSpeed {
  /** Rows and columns of the matrices. */
  readonly size: number;
  /** Billions of floating-point operations a second, in the fastest run. */
  readonly gflops: number;
}

/** From what takes a software driver a second to what keeps the fastest GPU busy. */
const sizes = [256, 1024, 4096] as const;
const layers = 8;
/** Seconds of a run that say enough. */
const enough = 0.05;
const runs = 3;

/** The speed at the first size whose run takes long enough to say something. */
export async function productSpeed(options: SessionOptions): Promise<ProductSpeed> {
  for (const size of sizes) {
    const speed = await speedOf(size, options);
    if (flops(size) / speed.gflops / 1e9 > enough || size === sizes.at(-1)) return speed;
  }
  throw new Error('there are no sizes');
}

/** Multiplies by one matrix again and again; of the result, one row is handed over. */
async function speedOf(size: number, options: SessionOptions): Promise<ProductSpeed> {
  // The product of all layers stays finite.
  const stream = { seed: 0, purpose: 'choice', moment: 1 } as const;
  const scaled = normals({ ...stream, row: 0 }, size * size).map((value) => value / Math.sqrt(size));
  const weight = constant(scaled, [size, size]);
  const x = input('x', 'float32', [size, size]);
  let hidden = x;
  for (let layer = 0; layer < layers; layer += 1) hidden = gemm(hidden, weight);
  const session = await Session.create({ row: slice(hidden, 0, 0, 1) }, options);
  const feeds = { x: { shape: [size, size], data: normals({ ...stream, row: 1 }, size * size) } };
  await session.run(feeds);
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run += 1) {
    const begin = performance.now();
    await session.run(feeds);
    fastest = Math.min(fastest, (performance.now() - begin) / 1000);
  }
  await session.dispose();
  return { size, gflops: flops(size) / fastest / 1e9 };
}

function flops(size: number): number {
  return 2 * size ** 3 * layers;
}
