/** The frozen text tower's part of a training step: cut into batches that keep a device busy, and put together again. */

import type { PreparedCaption } from '../captions/index.ts';
import { type TextConfig, type TokenRow, tokenBatches } from '../clip/index.ts';
import { encoderGraph, FlopCounter, reconstructionGraph, type TextModel } from '../phi/index.ts';
import { sizesOf, type TowerKind, type TowerRunner } from './tower-task.ts';

export interface Reconstruction {
  /** The squared error of each caption, averaged over dimensions. The loss is their mean. [captions] */
  readonly errors: Float32Array;
  /** Gradient of the loss with respect to the pseudo tokens: [captions, width] */
  readonly gradient: Float32Array;
}

/** What a step asks of the frozen text tower, whatever computes it: results do not depend on how many devices do. */
export class Towers {
  readonly #model: TextModel;
  readonly #positionsPerRun: number;
  readonly #runner: TowerRunner;
  readonly #counters: Readonly<Record<TowerKind, FlopCounter>>;

  /** @param positionsPerRun token positions computed at once. More of them need more memory */
  constructor(model: TextModel, positionsPerRun: number, runner: TowerRunner) {
    this.#model = model;
    this.#positionsPerRun = positionsPerRun;
    this.#runner = runner;
    this.#counters = {
      embeddings: new FlopCounter(Object.values(encoderGraph(model))),
      reconstruction: new FlopCounter(Object.values(reconstructionGraph(model))),
    };
  }

  /** Floating-point operations of the matrix products so far. */
  get flops(): number {
    return this.#counters.embeddings.flops + this.#counters.reconstruction.flops;
  }

  /** The tower's embeddings of captions, un-normalised: [captions, projection] */
  async embeddings(captions: readonly TokenRow[]): Promise<Float32Array> {
    const { projection } = this.#config;
    const all = new Float32Array(captions.length * projection);
    for (const { members, result } of await this.#computed('embeddings', captions)) {
      members.forEach((row, at) => {
        all.set(result.embeddings!.subarray(at * projection, (at + 1) * projection), row * projection);
      });
    }
    return all;
  }

  /**
   * The errors of masked captions with the pseudo tokens [captions, width] in them, and the gradient of their mean with
   * respect to the pseudo tokens.
   * @param targets the captions' own embeddings, from `embeddings`
   */
  async reconstruction(
    captions: readonly PreparedCaption[],
    pseudo: Float32Array,
    targets: Float32Array,
  ): Promise<Reconstruction> {
    const { width } = this.#config;
    const errors = new Float32Array(captions.length);
    const gradient = new Float32Array(pseudo.length);
    const rows = captions.map(({ masked, placeholders }, row): TokenRow => {
      const vector = pseudo.subarray(row * width, (row + 1) * width);
      return { ids: masked, injected: placeholders.map((position) => ({ position, vector })) };
    });
    for (const { members, result } of await this.#computed('reconstruction', rows, targets)) {
      let placement = 0;
      members.forEach((row, at) => {
        errors[row] = result.errors![at]!;
        // If a pseudo token occurs at several places, their gradients add up.
        for (const _ of captions[row]!.placeholders) {
          for (let index = 0; index < width; index += 1) {
            gradient[row * width + index]! += result.gradient![placement * width + index]! / rows.length;
          }
          placement += 1;
        }
      });
    }
    return { errors, gradient };
  }

  async dispose(): Promise<void> {
    await this.#runner.dispose();
  }

  get #config(): TextConfig {
    return this.#model.config;
  }

  /** Computes rows in batches. Each comes with the rows that are its members, in an order that depends on the rows alone. */
  async #computed(kind: TowerKind, rows: readonly TokenRow[], targets?: Float32Array) {
    const { startOfText } = this.#model;
    const prefix = startOfText === undefined ? [] : [startOfText];
    const batches = tokenBatches(rows, this.#config, this.#positionsPerRun, prefix);
    const tasks = batches.map(({ members, feeds }) => {
      return { kind, feeds: { ...feeds, ...(targets && { wanted: this.#rowsOf(targets, members) }) } };
    });
    for (const task of tasks) this.#counters[kind].count(sizesOf(task));
    const results = await this.#runner.run(tasks);
    return batches.map(({ members }, at) => ({ members, result: results[at]! }));
  }

  #rowsOf(embeddings: Float32Array, members: readonly number[]) {
    const { projection } = this.#config;
    const data = new Float32Array(members.length * projection);
    members.forEach((row, at) => {
      data.set(embeddings.subarray(row * projection, (row + 1) * projection), at * projection);
    });
    return { shape: [members.length, projection], data };
  }
}
