/** Cosine similarities of a block of queries with a block of images: all of them, or each query's best. */

import { cast, gatherElements, gemm, input, mul, Session, topK } from '../onnx/index.ts';

export interface Block {
  /** [queries, dimensions], of length 1 */
  readonly queries: Float32Array;
  /** [pictures, dimensions] */
  readonly pictures: Float32Array;
  /** 1 / the length of each picture's row; 0 for a row of zeros. */
  readonly scales: Float32Array;
  /** Places of images whose similarities are wanted whatever they are: as many for each query, and not none. */
  readonly places: Float32Array;
}

export interface Best {
  /** In descending order. */
  readonly scores: Float32Array;
  /** In the block. */
  readonly positions: Float32Array;
  /** Of the images asked for. */
  readonly asked: Float32Array;
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

  /** The `count` best of each query. */
  async best(block: Block): Promise<Best> {
    if (!this.#best) {
      const all = this.#scores();
      const [scores, positions] = topK(all, this.count);
      const places = cast(input('places', 'float32', ['queries', 'asked']), 'int64');
      const asked = gatherElements(all, places, 1);
      const outputs = { scores, positions: cast(positions, 'float32'), asked };
      this.#best = await Session.create(outputs, { threads: this.#threads });
    }
    const queries = block.queries.length / this.#dimensions;
    const { scores, positions, asked } = await this.#best.run<keyof Best>({
      ...this.#feeds(block),
      places: { shape: [queries, block.places.length / queries], data: block.places },
    });
    return { scores: scores.data, positions: positions.data, asked: asked.data };
  }

  /** [queries, pictures], bit for bit those that `best` chooses from. */
  async all(block: Omit<Block, 'places'>): Promise<Float32Array> {
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

  #feeds({ queries, pictures, scales }: Omit<Block, 'places'>) {
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
