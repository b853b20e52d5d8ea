/** Cosine similarities of a block of queries with a block of images: all of them, or each query's best. */

import { cast, gemm, input, mul, Session, topK } from '../onnx/index.ts';

export interface Block {
  /** [queries, dimensions], of length 1 */
  readonly queries: Float32Array;
  /** [pictures, dimensions] */
  readonly pictures: Float32Array;
  /** 1 / the length of each picture's row; 0 for a row of zeros. */
  readonly scales: Float32Array;
}

/** Owns memory outside JavaScript: dispose of it. */
export class Similarities {
  readonly #dimensions: number;
  readonly #threads: number | undefined;
  /** How many are the best of a block. */
  readonly count: number;
  #best: Session | undefined;
  #all: Session | undefined;

  constructor(dimensions: number, count: number, threads: number | undefined) {
    this.#dimensions = dimensions;
    this.#threads = threads;
    this.count = count;
  }

  /** The `count` best of each query in descending order, and their positions in the block. Both [queries, count]. */
  async best(block: Block): Promise<{ readonly scores: Float32Array; readonly positions: Float32Array }> {
    if (!this.#best) {
      const [scores, positions] = topK(this.#scores(), this.count);
      const outputs = { scores, positions: cast(positions, 'float32') };
      this.#best = await Session.create(outputs, { threads: this.#threads });
    }
    const { scores, positions } = await this.#best.run<'scores' | 'positions'>(this.#feeds(block));
    return { scores: scores.data, positions: positions.data };
  }

  /** [queries, pictures], bit for bit those that `best` chooses from. */
  async all(block: Block): Promise<Float32Array> {
    this.#all ??= await Session.create({ scores: this.#scores() }, { threads: this.#threads });
    const { scores } = await this.#all.run<'scores'>(this.#feeds(block));
    return scores.data;
  }

  async dispose(): Promise<void> {
    await this.#best?.dispose();
    await this.#all?.dispose();
  }

  #scores() {
    const queries = input('queries', 'float32', ['queries', this.#dimensions]);
    const pictures = input('pictures', 'float32', ['pictures', this.#dimensions]);
    return mul(gemm(queries, pictures, { transB: true }), input('scales', 'float32', ['pictures']));
  }

  #feeds({ queries, pictures, scales }: Block) {
    const rows = (data: Float32Array) => ({
      shape: [data.length / this.#dimensions, this.#dimensions],
      data,
    });
    return {
      queries: rows(queries),
      pictures: rows(pictures),
      scales: { shape: [scales.length], data: scales },
    };
  }
}
