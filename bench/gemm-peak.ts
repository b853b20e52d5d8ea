/** The speed of ONNX Runtime's own matrix product here: the limit that everything else is held against. */

import { constant, gemm, input, Session, slice } from '../src/onnx/index.ts';
import { type Side, timed } from './turns.ts';

export interface GemmPeak {
  readonly side: Side;
  /** Floating-point operations of one pass. */
  readonly flops: number;
  dispose(): Promise<void>;
}

/**
 * Multiplies [rows, width] with constants [wide, width] and [width, wide] in turn, as a feed-forward network does
 * without its activation. Nothing else runs, and the result is one row, so that no time goes into handing it over.
 */
export async function gemmPeak(
  { rows, width, wide }: Readonly<Record<'rows' | 'width' | 'wide', number>>,
  { threads = 2, layers = 12 } = {},
): Promise<GemmPeak> {
  // Small enough that the product of all layers stays finite.
  const noise = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => (Math.random() - 0.5) / Math.sqrt(width));
  const x = input('x', 'float32', [rows, width]);
  let hidden = x;
  for (let layer = 0; layer < layers; layer++) {
    hidden = gemm(hidden, constant(noise(wide * width), [wide, width]), { transB: true });
    hidden = gemm(hidden, constant(noise(width * wide), [width, wide]), { transB: true });
  }
  const session = await Session.create({ row: slice(hidden, 0, 0, 1) }, { threads });
  const feeds = { x: { shape: [rows, width], data: noise(rows * width) } };
  return {
    side: () => timed(() => session.run(feeds)),
    flops: 4 * rows * width * wide * layers,
    dispose: () => session.dispose(),
  };
}
