/** Computes one step's loss and gradient, in pieces that keep the device busy and add up to the whole batch. */

import type { PreparedCaption } from '../captions/index.ts';
import { type ComputedPrefix, computePrefix, type TextConfig, type TokenRow } from '../clip/index.ts';
import { normalizeRows } from '../core/index.ts';
import type { SessionOptions } from '../onnx/index.ts';
import {
  CountedSession,
  encoderGraph,
  type PhiParameters,
  type PhiShape,
  phiGraphs,
  reconstructionGraph,
  type TextModel,
  towerBatches,
} from '../phi/index.ts';

/** The random part of a step. */
export interface StepNoise {
  /** Added to the captions' embeddings: [captions, projection] */
  readonly noise: Float32Array;
  /** Dropout of each hidden layer: 0 where it drops, else 1 / (1 - dropout). [captions, hidden] each */
  readonly masks: readonly [Float32Array, Float32Array];
}

interface StepGradient {
  /** The squared error of each caption, averaged over dimensions. The loss is their mean. [captions] */
  readonly errors: Float32Array;
  /** Gradient of the loss with respect to phi's parameters, by their names. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

interface StepOptions extends Pick<SessionOptions, 'device'> {
  readonly threads?: number;
  /** Token positions computed at once. More of them need more memory. */
  readonly positionsPerRun: number;
  /** Whether phi takes embeddings scaled to length 1. */
  readonly l2Normalize: boolean;
}

type Sessions = Readonly<
  Record<'encoder' | 'forward' | 'reconstruction' | 'backward', CountedSession<string>>
>;

/** The graphs of a training step. Owns memory outside JavaScript: dispose of it. */
export class TrainingStep {
  readonly #config: TextConfig;
  readonly #shape: PhiShape;
  readonly #options: StepOptions;
  readonly #sessions: Sessions;
  readonly #prefix: ComputedPrefix;

  private constructor(
    { config }: TextModel,
    shape: PhiShape,
    options: StepOptions,
    sessions: Sessions,
    prefix: ComputedPrefix,
  ) {
    this.#config = config;
    this.#shape = shape;
    this.#options = options;
    this.#sessions = sessions;
    this.#prefix = prefix;
  }

  /** @throws LincirError 'device', and 'bad-file' for weights that do not fit the config */
  static async create(model: TextModel, shape: PhiShape, options: StepOptions): Promise<TrainingStep> {
    const { device, threads } = options;
    const where = { device, threads };
    const prefix = await computePrefix(model, [model.startOfText], where);
    const { forward, backward } = phiGraphs(shape);
    const sessions = {
      encoder: await CountedSession.create<string>(encoderGraph(model), where),
      forward: await CountedSession.create<string>(forward, where),
      reconstruction: await CountedSession.create<string>(reconstructionGraph(model), where),
      backward: await CountedSession.create<string>(backward, where),
    };
    return new TrainingStep(model, shape, options, sessions, prefix);
  }

  /** Floating-point operations of the matrix products of all steps so far. */
  get flops(): number {
    return Object.values(this.#sessions).reduce((sum, { flops }) => sum + flops, 0);
  }

  /** The frozen tower's embeddings of captions, un-normalised: [captions, projection] */
  async embeddings(captions: readonly TokenRow[]): Promise<Float32Array> {
    const { projection } = this.#config;
    const all = new Float32Array(captions.length * projection);
    for (const { members, feeds, sizes } of this.#batches(captions)) {
      const { embeddings } = await this.#sessions.encoder.run(feeds, sizes);
      members.forEach((row, at) => {
        all.set(embeddings!.data.subarray(at * projection, (at + 1) * projection), row * projection);
      });
    }
    return all;
  }

  /**
   * The loss of captions and its gradient, at phi's current parameters.
   * @param targets the captions' own embeddings, from `embeddings`
   */
  async gradient(
    captions: readonly PreparedCaption[],
    targets: Float32Array,
    parameters: PhiParameters,
    { noise, masks }: StepNoise,
  ): Promise<StepGradient> {
    const { forward, backward } = this.#sessions;
    const { input, hidden, output } = this.#shape;
    const rows = captions.length;

    const noisy = targets.map((value, at) => value + noise[at]!);
    if (this.#options.l2Normalize) normalizeRows(noisy, input);
    const phiFeeds = {
      ...Object.fromEntries(parameters),
      embeddings: { shape: [rows, input], data: noisy },
      mask0: { shape: [rows, hidden], data: masks[0] },
      mask1: { shape: [rows, hidden], data: masks[1] },
    };
    const { pseudo } = await forward.run(phiFeeds, { rows }); // [captions, width]
    const { errors, gradient } = await this.#reconstruction(captions, pseudo!.data, targets);
    const cotangent = { shape: [rows, output], data: gradient };
    const found = Object.entries(await backward.run({ ...phiFeeds, cotangent }, { rows }));
    return {
      errors,
      gradients: new Map(found.map(([name, { data }]) => [name.replace('gradient:', ''), data])),
    };
  }

  async dispose(): Promise<void> {
    for (const session of Object.values(this.#sessions)) await session.dispose();
  }

  /**
   * The errors of masked captions with the pseudo tokens [captions, width] in them, and the gradient of their mean with
   * respect to the pseudo tokens.
   */
  async #reconstruction(
    captions: readonly PreparedCaption[],
    pseudo: Float32Array,
    targets: Float32Array,
  ): Promise<{ errors: Float32Array; gradient: Float32Array }> {
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
      const found = await this.#sessions.reconstruction.run(
        { ...feeds, wanted: { shape, data: wanted } },
        sizes,
      );
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

  #batches(rows: readonly TokenRow[]) {
    return towerBatches(rows, this.#config, this.#options.positionsPerRun, this.#prefix);
  }
}
