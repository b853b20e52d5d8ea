/** The frozen text tower's part of a training step, in pieces that keep the device busy and add up to the whole batch. */

import type { PreparedCaption } from '../captions/index.ts';
import { type ComputedPrefix, computePrefix, type TextConfig, type TokenRow } from '../clip/index.ts';
import type { SessionOptions } from '../onnx/index.ts';
import {
  CountedSession,
  encoderGraph,
  reconstructionGraph,
  type TextModel,
  towerBatches,
} from '../phi/index.ts';

/** What a step asks of the frozen text tower, wherever it is computed. */
export interface Towers {
  /** Floating-point operations of the matrix products so far. */
  readonly flops: number;
  /** The tower's embeddings of captions, un-normalised: [captions, projection] */
  embeddings(captions: readonly TokenRow[]): Promise<Float32Array>;
  /**
   * The errors of masked captions with the pseudo tokens [captions, width] in them, and the gradient of their mean with
   * respect to the pseudo tokens.
   * @param targets the captions' own embeddings, from `embeddings`
   */
  reconstruction(
    captions: readonly PreparedCaption[],
    pseudo: Float32Array,
    targets: Float32Array,
  ): Promise<Reconstruction>;
  dispose(): Promise<void>;
}

export interface Reconstruction {
  /** The squared error of each caption, averaged over dimensions. The loss is their mean. [captions] */
  readonly errors: Float32Array;
  /** Gradient of the loss with respect to the pseudo tokens: [captions, width] */
  readonly gradient: Float32Array;
}

export interface TowerOptions extends Pick<SessionOptions, 'device'> {
  readonly threads?: number;
  /** Token positions computed at once. More of them need more memory. */
  readonly positionsPerRun: number;
}

/** The tower on one device of this process. Owns memory outside JavaScript: dispose of it. */
export class LocalTowers implements Towers {
  readonly #config: TextConfig;
  readonly #positionsPerRun: number;
  readonly #encoder: CountedSession<string>;
  readonly #reconstruction: CountedSession<string>;
  readonly #prefix: ComputedPrefix;

  private constructor(
    config: TextConfig,
    positionsPerRun: number,
    encoder: CountedSession<string>,
    reconstruction: CountedSession<string>,
    prefix: ComputedPrefix,
  ) {
    this.#config = config;
    this.#positionsPerRun = positionsPerRun;
    this.#encoder = encoder;
    this.#reconstruction = reconstruction;
    this.#prefix = prefix;
  }

  /** @throws LincirError 'device', and 'bad-file' for weights that do not fit the config */
  static async create(
    model: TextModel,
    { device, threads, positionsPerRun }: TowerOptions,
  ): Promise<LocalTowers> {
    const where = { device, threads };
    const prefix = await computePrefix(model, [model.startOfText], where);
    const encoder = await CountedSession.create<string>(encoderGraph(model), where);
    const reconstruction = await CountedSession.create<string>(reconstructionGraph(model), where);
    return new LocalTowers(model.config, positionsPerRun, encoder, reconstruction, prefix);
  }

  get flops(): number {
    return this.#encoder.flops + this.#reconstruction.flops;
  }

  async embeddings(captions: readonly TokenRow[]): Promise<Float32Array> {
    const { projection } = this.#config;
    const all = new Float32Array(captions.length * projection);
    for (const { members, feeds, sizes } of this.#batches(captions)) {
      const { embeddings } = await this.#encoder.run(feeds, sizes);
      members.forEach((row, at) => {
        all.set(embeddings!.data.subarray(at * projection, (at + 1) * projection), row * projection);
      });
    }
    return all;
  }

  async reconstruction(
    captions: readonly PreparedCaption[],
    pseudo: Float32Array,
    targets: Float32Array,
  ): Promise<Reconstruction> {
    const { projection, width } = this.#config;
    const errors = new Float32Array(captions.length);
    const gradient = new Float32Array(pseudo.length);
    const rows = captions.map(({ masked, placeholders }, row): TokenRow => {
      const vector = pseudo.subarray(row * width, (row + 1) * width);
      return { ids: masked, injected: placeholders.map((position) => ({ position, vector })) };
    });
    for (const { members, feeds, sizes } of this.#batches(rows)) {
      const wanted = new Float32Array(members.length * projection);
      members.forEach((row, at) => {
        wanted.set(targets.subarray(row * projection, (row + 1) * projection), at * projection);
      });
      const shape = [members.length, projection];
      const found = await this.#reconstruction.run({ ...feeds, wanted: { shape, data: wanted } }, sizes);
      let placement = 0;
      members.forEach((row, at) => {
        errors[row] = found.errors!.data[at]!;
        // If a pseudo token occurs at several places, their gradients add up.
        for (const _ of captions[row]!.placeholders) {
          for (let index = 0; index < width; index += 1) {
            gradient[row * width + index]! += found.gradient!.data[placement * width + index]! / rows.length;
          }
          placement += 1;
        }
      });
    }
    return { errors, gradient };
  }

  async dispose(): Promise<void> {
    await this.#encoder.dispose();
    await this.#reconstruction.dispose();
  }

  #batches(rows: readonly TokenRow[]) {
    return towerBatches(rows, this.#config, this.#positionsPerRun, this.#prefix);
  }
}
