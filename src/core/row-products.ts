/** Rows of equal length, and their inner products with a query: by WebAssembly, where they lie. */

import { kernelBytes } from './row-products-kernel.ts';
import { type KernelMemory, kernelMemory, startKernel } from './webassembly.ts';

interface Kernel {
  products(query: number, queryEnd: number, row: number, into: number, end: number): void;
}

/** Numbers that the kernel takes at once. */
const lanes = 4;
const bytesPerNumber = 4;

export class RowProducts {
  readonly count: number;
  readonly #length: number;
  readonly #memory: KernelMemory;
  readonly #kernel: Kernel;
  /** Where the products and the rows begin, in bytes. The query lies before them. */
  readonly #products: number;
  readonly #rows: number;
  /** Of a row with the zeros after it, in numbers. */
  readonly #stride: number;

  /** `count` rows of zeros. They take room when they are first written. */
  constructor(count: number, length: number) {
    this.count = count;
    this.#length = length;
    this.#stride = Math.ceil(length / lanes) * lanes;
    this.#products = this.#stride * bytesPerNumber;
    this.#rows = this.#products + Math.ceil(count / lanes) * lanes * bytesPerNumber;
    this.#memory = kernelMemory(this.#rows + count * this.#stride * bytesPerNumber, false);
    this.#kernel = startKernel<Kernel>(kernelBytes, this.#memory);
  }

  /** A row, to be written and read. It is not a copy. */
  row(at: number): Float32Array<ArrayBuffer> {
    const begin = this.#rows + at * this.#stride * bytesPerNumber;
    return new Float32Array(this.#memory.buffer, begin, this.#length);
  }

  /** The inner product of each of the first `count` rows with a query. The next call writes over them. */
  with(query: Float32Array, count = this.count): Float32Array<ArrayBuffer> {
    const { buffer } = this.#memory;
    new Float32Array(buffer, 0, this.#length).set(query);
    const end = this.#products + count * bytesPerNumber;
    if (count > 0) this.#kernel.products(0, this.#products, this.#rows, this.#products, end);
    return new Float32Array(buffer, this.#products, count);
  }
}
