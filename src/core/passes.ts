/** Passes of WebAssembly over long arrays: chunk by chunk, on one thread or several, with the same result to the bit. */

import { kernelBytes, unsharedKernelBytes } from './optimizer-kernel.ts';
import { type KernelMemory, kernelMemory, startKernel } from './webassembly.ts';

/** Passes of `optimizer.wat`, and which of their arrays they write. */
const passes = {
  squares: [],
  scale: [0],
  approach: [0],
  adamW: [0, 2, 3],
} as const satisfies Record<string, readonly number[]>;
type Pass = keyof typeof passes;
const names = Object.keys(passes) as Pass[];

type Kernel = Readonly<Record<Pass, (...addressesEndAndNumbers: number[]) => number>>;

/** Numbers that a thread takes at once: a few arrays of so many are worth waking another thread for. */
export const chunkLength = 2 ** 18;
/** Numbers that are copied at once into a kernel's memory: few enough to stay in a core's cache. */
const pieceLength = 2 ** 14;

/** Where a memory keeps what its threads must know, as int32: counters, and the pass. */
const place = { wake: 0, next: 1, done: 2, pass: 3, length: 4, arrays: 5, numbers: 6 } as const;
/** Where it keeps addresses and numbers of the pass, in bytes, and the sum of each chunk. */
const argumentsAt = 64;
const sumsAt = 512;
const headLength = 2 ** 17;
/** Beginnings of arrays are multiples of it, in bytes, for the kernel goes by 16 bytes. */
const alignment = 64;

/** The memory in which an array lies that `PassMemory` has made. */
const homes = new WeakMap<Float32Array, PassMemory>();

/** Memory for long arrays, over which passes run where they lie. */
export class PassMemory {
  readonly memory: KernelMemory;
  readonly #kernel: Kernel;
  readonly #head: Head;
  #used = headLength;
  /** Threads that are in `helpWithPasses` with this memory. */
  helpers = 0;

  /** @param shared lets other threads help */
  constructor(count: number, arrays: number, shared = false) {
    this.memory = kernelMemory(headLength + arrays * roomFor(count), shared);
    this.#kernel = startKernel(shared ? kernelBytes : unsharedKernelBytes, this.memory);
    this.#head = headOf(this.memory);
  }

  /** An array of zeros. */
  array(count: number): Float32Array<ArrayBuffer> {
    const values = new Float32Array(this.memory.buffer, this.#used, count);
    this.#used += roomFor(count);
    homes.set(values, this);
    return values;
  }

  /** Runs a pass over arrays of this memory. Returns the sum of what it gave for each chunk. */
  run(pass: Pass, arrays: readonly Float32Array[], numbers: readonly number[]): number {
    const { integers, floats, sums } = this.#head;
    const { length } = arrays[0]!;
    integers.set([names.indexOf(pass), length, arrays.length, numbers.length], place.pass);
    floats.set([...arrays.map(({ byteOffset }) => byteOffset), ...numbers]);
    Atomics.store(integers, place.done, 0);
    Atomics.store(integers, place.next, 0);
    if (this.helpers > 0) {
      Atomics.add(integers, place.wake, 1);
      Atomics.notify(integers, place.wake);
    }
    takeChunks(this.#kernel, this.#head);
    for (let done = 0; done < this.helpers; done = Atomics.load(integers, place.done)) {
      Atomics.wait(integers, place.done, done);
    }
    let sum = 0;
    for (const part of sums.subarray(0, Math.ceil(length / chunkLength))) sum += part;
    return sum;
  }
}

/** Helps with all passes over a shared memory, for ever: for a thread of its own. Calls `ready` when it begins. */
export function helpWithPasses(memory: KernelMemory, ready: () => void): never {
  const kernel: Kernel = startKernel(kernelBytes, memory);
  const head = headOf(memory);
  const { integers } = head;
  let wake = Atomics.load(integers, place.wake);
  ready();
  for (;;) {
    Atomics.wait(integers, place.wake, wake);
    wake = Atomics.load(integers, place.wake);
    takeChunks(kernel, head);
    Atomics.add(integers, place.done, 1);
    Atomics.notify(integers, place.done);
  }
}

/** Runs a pass over arrays, wherever they lie. Returns the sum of what it gave for each part. */
export function runPass(pass: Pass, arrays: readonly Float32Array[], numbers: readonly number[]): number {
  const home = homes.get(arrays[0]!);
  if (home && arrays.every((array) => homes.get(array) === home)) return home.run(pass, arrays, numbers);
  desk ??= deskOf();
  let sum = 0;
  for (let begin = 0; begin < arrays[0]!.length; begin += pieceLength) {
    const pieces = arrays.map((array) => array.subarray(begin, begin + pieceLength));
    const { length } = pieces[0]!;
    const copies = desk.arrays.slice(0, arrays.length);
    for (const [index, piece] of pieces.entries()) copies[index]!.fill(0, length - (length % 4)).set(piece);
    const addresses = copies.map(({ byteOffset }) => byteOffset);
    sum += desk.kernel[pass](...addresses, addresses[0]! + 4 * length, ...numbers);
    for (const index of passes[pass]) pieces[index]!.set(copies[index]!.subarray(0, length));
  }
  return sum;
}

/** This thread's room for pieces of arrays that lie elsewhere. */
let desk: { readonly kernel: Kernel; readonly arrays: readonly Float32Array[] } | undefined;

function deskOf() {
  const memory = kernelMemory(4 * roomFor(pieceLength), false);
  const arrays = [0, 1, 2, 3].map(
    (index) => new Float32Array(memory.buffer, index * roomFor(pieceLength), pieceLength),
  );
  return { kernel: startKernel<Kernel>(unsharedKernelBytes, memory), arrays };
}

interface Head {
  readonly integers: Int32Array<ArrayBuffer>;
  /** Addresses, then numbers. */
  readonly floats: Float64Array;
  /** What the pass gave for each chunk. */
  readonly sums: Float64Array;
}

function headOf({ buffer }: KernelMemory): Head {
  return {
    integers: new Int32Array(buffer, 0, argumentsAt / 4),
    floats: new Float64Array(buffer, argumentsAt, (sumsAt - argumentsAt) / 8),
    sums: new Float64Array(buffer, sumsAt, (headLength - sumsAt) / 8),
  };
}

/** Runs the pass over one chunk after another, until none is left for this thread. */
function takeChunks(kernel: Kernel, { integers, floats, sums }: Head): void {
  const run = kernel[names[integers[place.pass]!]!];
  const [length, arrays, numbers] = [place.length, place.arrays, place.numbers].map(
    (at) => integers[at]!,
  ) as [number, number, number];
  const addresses = Array.from(floats.subarray(0, arrays));
  const given = Array.from(floats.subarray(arrays, arrays + numbers));
  for (;;) {
    const chunk = Atomics.add(integers, place.next, 1);
    const begin = chunk * chunkLength;
    if (begin >= length) return;
    const end = addresses[0]! + 4 * Math.min(length, begin + chunkLength);
    sums[chunk] = run(...addresses.map((address) => address + 4 * begin), end, ...given);
  }
}

function roomFor(count: number): number {
  return Math.ceil((4 * count) / alignment) * alignment;
}
