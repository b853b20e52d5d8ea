/** How large weights of 8 bits may be, so that this processor adds their products up without overflow. */

import {
  constant,
  eightBitProduct,
  eightBits,
  input,
  quantize,
  Session,
  type SessionOptions,
} from '../../onnx/index.ts';

const whole = 127;
/** Two products of 255 and 63 fit into 16 bits, in which AVX2 adds them up; two of 255 and 127 do not. */
const half = 63;
const inner = 8;

/** 127, or 63 where sums of larger products stop at the largest number of 16 bits: on x64 without VNNI instructions. */
export async function weightReach(options: SessionOptions): Promise<number> {
  const grid = { step: 1, zero: 0 };
  const x = quantize(input('x', 'float32', ['rows', inner]), grid);
  const weights = eightBits(new Int8Array(inner).fill(whole), [inner, 1]);
  const ones = constant(Float32Array.of(1), [1]);
  const sum = eightBitProduct(x, grid, weights, ones, constant(Float32Array.of(0), [1]));
  const session = await Session.create({ sum }, options);
  const data = new Float32Array(inner).fill(255);
  const { sum: found } = await session.run<'sum'>({ x: { shape: [1, inner], data } });
  await session.dispose();
  return found.data[0] === inner * 255 * whole ? whole : half;
}
