/** Random numbers by counter: a draw depends only on its position, never on earlier draws. */
// Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011: Philox4x32-10.

import { kernelBytes } from './philox-kernel.ts';
import { type KernelMemory, startKernel } from './webassembly.ts';

/** Purposes of draws. Their order decides every run's numbers, so add new ones at the end. */
const purposes = [
  'initialization',
  'noise-scale',
  'noise',
  'dropout',
  'order',
  'masking',
  'bootstrap',
  'inversion',
  'choice',
  'scene',
  'calibration',
] as const;
type Purpose = (typeof purposes)[number];

/** What a draw depends on. Draws that differ in one of these numbers are independent. */
export interface RandomStream {
  /** From 0 to 2^53 - 1. */
  readonly seed: number;
  readonly purpose: Purpose;
  /** A step, an epoch: from 0 to 2^53 - 1. */
  readonly moment: number;
  /** A row of a batch, a layer: from 0 to 2^32 - 1. */
  readonly row: number;
}

/** `count` numbers, uniform in [0, 1): multiples of 2^-24. */
export function uniforms(stream: RandomStream, count: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  for (const { begin, words } of drawn(stream, count)) {
    for (let at = 0; at < words.length; at += 1) values[begin + at] = (words[at]! >>> 8) * 2 ** -24;
  }
  return values;
}

/** `count` numbers of the normal distribution with mean 0 and variance 1 (Box and Muller, 1958). */
export function normals(stream: RandomStream, count: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  for (const { begin, words } of drawn(stream, count + (count % 2))) {
    for (let at = 0; at < words.length; at += 2) {
      const radius = Math.sqrt(-2 * Math.log((words[at]! + 1) * 2 ** -32)); // avoids the logarithm of 0
      const angle = 2 * Math.PI * words[at + 1]! * 2 ** -32;
      values[begin + at] = radius * Math.cos(angle);
      values[begin + at + 1] = radius * Math.sin(angle); // without effect past the end
    }
  }
  return values;
}

/** Fills a mask: 0 where the stream's `uniforms` are less than `dropped`, else 1 / (1 - dropped). */
export function dropoutMask(stream: RandomStream, dropped: number, mask: Float32Array): void {
  const limit = Math.ceil(dropped * 2 ** 24);
  for (const { begin, words } of drawn(stream, mask.length)) {
    const { byteOffset, byteLength } = words;
    kernel!.mask(byteOffset, byteOffset + byteLength, limit, 1 / (1 - dropped));
    mask.set(new Float32Array(words.buffer, byteOffset, words.length), begin);
  }
}

/** `philox.wat`, which says what the arguments are. */
interface Kernel {
  readonly memory: KernelMemory;
  draw(first: number, row: number, moment: bigint, key: bigint, into: number, end: number): void;
  mask(at: number, end: number, limit: number, kept: number): void;
}

/** This thread's. */
let kernel: Kernel | undefined;

/** The stream's first `count` numbers of 32 bits, as `bits` gives them, in pieces. A piece is valid until the next. */
function* drawn({ seed, purpose, moment, row }: RandomStream, count: number) {
  kernel ??= startKernel<Kernel>(kernelBytes);
  const most = kernel.memory.buffer.byteLength / 4;
  const key = BigInt(seed) | (BigInt(purposes.indexOf(purpose)) << 53n);
  for (let begin = 0; begin < count; begin += most) {
    const length = Math.min(most, count - begin);
    kernel.draw(begin / 4, row, BigInt(moment), key, 0, 4 * length);
    yield { begin, words: new Uint32Array(kernel.memory.buffer, 0, length) };
  }
}

/** An endless sequence of numbers, uniform in [0, 1). */
export function sequence(stream: RandomStream): () => number {
  const next = bits(stream);
  return () => next() * 2 ** -32;
}

/** 32 random bits at each call, as a whole number. */
export function bits({ seed, purpose, moment, row }: RandomStream): () => number {
  const block = new Uint32Array(4);
  const keys = [seed >>> 0, (Math.floor(seed / 2 ** 32) | (purposes.indexOf(purpose) << 21)) >>> 0] as const;
  const moments = [moment >>> 0, Math.floor(moment / 2 ** 32)] as const;
  let drawn = 0;
  return () => {
    const place = drawn & 3;
    if (place === 0) philox(block, [drawn >>> 2, row, ...moments], keys);
    drawn += 1;
    return block[place]!;
  };
}

/** One block of Philox4x32-10: 128 random bits into `block`, for a counter of four words and a key of two. */
export function philox(
  block: Uint32Array,
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): void {
  let [a, b, c, d] = counter;
  let [keyA, keyC] = key;
  for (let round = 0; round < 10; round += 1) {
    const highA = multiplyHigh(0xd2511f53, a);
    const lowA = Math.imul(0xd2511f53, a);
    const highC = multiplyHigh(0xcd9e8d57, c);
    const lowC = Math.imul(0xcd9e8d57, c);
    a = (highC ^ b ^ keyA) >>> 0;
    b = lowC >>> 0;
    c = (highA ^ d ^ keyC) >>> 0;
    d = lowA >>> 0;
    keyA = (keyA + 0x9e3779b9) >>> 0;
    keyC = (keyC + 0xbb67ae85) >>> 0;
  }
  block[0] = a;
  block[1] = b;
  block[2] = c;
  block[3] = d;
}

/** The upper 32 bits of the product of two whole numbers of 32 bits. */
function multiplyHigh(x: number, y: number): number {
  const lowX = x & 0xffff;
  const highX = x >>> 16;
  const lowY = y & 0xffff;
  const highY = y >>> 16;
  const middle = highX * lowY + ((lowX * lowY) >>> 16);
  const other = lowX * highY + (middle & 0xffff);
  return highX * highY + (middle >>> 16) + (other >>> 16);
}
