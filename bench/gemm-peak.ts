/** The speed of ONNX Runtime's own matrix product here: the limit that everything else is held against. */

import { constant, gemm, input, Session } from '../src/onnx/index.ts';
import { type Side, timed } from './turns.ts';

export interface GemmPeak {
  readonly side: Side;
  /** Floating-point operations of one pass. */
  readonly flops: number;
  dispose(): Promise<void>;
}

/** Multiplies [rows, inner] with a constant [columns, inner], as a linear layer does, `repeat` times a pass. */
export async function gemmPeak(
  [rows, inner, columns]: readonly [number, number, number],
  { threads = 2, repeat = 20 } = {},
): Promise<GemmPeak> {
  const noise = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => Math.random() - 0.5);
  const x = input('x', 'float32', [rows, inner]);
  const product = gemm(x, constant(noise(columns * inner), [columns, inner]), { transB: true });
  const session = await Session.create({ product }, { threads });
  const feeds = { x: { shape: [rows, inner], data: noise(rows * inner) } };
  const pass = async (): Promise<void> => {
    for (let count = 0; count < repeat; count++) await session.run(feeds);
  };
  return {
    side: () => timed(pass),
    flops: 2 * rows * inner * columns * repeat,
    dispose: () => session.dispose(),
  };
}
