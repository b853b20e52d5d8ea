/** Computes one step's loss and gradient: phi here, the frozen text tower wherever it is. */

import type { PreparedCaption } from '../captions/index.ts';
import type { TokenRow } from '../clip/index.ts';
import { type Float32Tensor, normalizeRows } from '../core/index.ts';
import type { SessionOptions } from '../onnx/index.ts';
import {
  CountedSession,
  type PhiParameters,
  type PhiShape,
  phiGraphs,
  type TextModel,
} from '../phi/index.ts';
import { flatParameters } from './parameters.ts';
import { TowerGraphs } from './tower-graphs.ts';
import type { TowerRunner } from './tower-task.ts';
import { Towers } from './towers.ts';

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
  readonly gradients: PhiParameters;
}

interface StepOptions extends Pick<SessionOptions, 'device' | 'deviceId' | 'threads' | 'precision'> {
  /** Computes the tower's batches. Default: the device, in this process. */
  readonly runner?: TowerRunner;
  /** Token positions computed at once. More of them need more memory. */
  readonly positionsPerRun: number;
  /** Whether phi takes embeddings scaled to length 1. */
  readonly l2Normalize: boolean;
}

/** What a step asks of towers. */
type StepTowers = Pick<Towers, 'flops' | 'embeddings' | 'reconstruction' | 'dispose'>;

type Sessions = Readonly<Record<'forward' | 'backward', CountedSession<string>>>;

/** The graphs of a training step. Owns memory outside JavaScript: dispose of it. */
export class TrainingStep {
  readonly #shape: PhiShape;
  readonly #l2Normalize: boolean;
  readonly #towers: StepTowers;
  readonly #sessions: Sessions;
  #hidden: readonly [Float32Tensor, Float32Tensor] | undefined;

  private constructor(shape: PhiShape, l2Normalize: boolean, towers: StepTowers, sessions: Sessions) {
    this.#shape = shape;
    this.#l2Normalize = l2Normalize;
    this.#towers = towers;
    this.#sessions = sessions;
  }

  /** @throws LincirError 'device', and 'bad-file' for weights that do not fit the config */
  static async create(model: TextModel, shape: PhiShape, options: StepOptions): Promise<TrainingStep> {
    const { device, deviceId, threads, precision } = options;
    const runner =
      options.runner ?? (await TowerGraphs.create(model, { device, deviceId, threads, precision }));
    return await TrainingStep.around(new Towers(model, options.positionsPerRun, runner), shape, options);
  }

  /** A step with such towers, which it will dispose of. */
  static async around(
    towers: StepTowers,
    shape: PhiShape,
    { device, deviceId, threads, l2Normalize }: Omit<StepOptions, 'positionsPerRun'>,
  ): Promise<TrainingStep> {
    const where = { device, deviceId, threads };
    const { forward, backward } = phiGraphs(shape);
    return new TrainingStep(shape, l2Normalize, towers, {
      forward: await CountedSession.create<string>(forward, where),
      backward: await CountedSession.create<string>(backward, where),
    });
  }

  /** Floating-point operations of the matrix products of all steps so far. */
  get flops(): number {
    const { forward, backward } = this.#sessions;
    return this.#towers.flops + forward.flops + backward.flops;
  }

  /** The frozen tower's embeddings of captions, un-normalised: [captions, projection] */
  async embeddings(captions: readonly TokenRow[]): Promise<Float32Array> {
    return await this.#towers.embeddings(captions);
  }

  /**
   * The loss of captions and its gradient, at phi's current parameters.
   * @param targets the captions' own embeddings, from `embeddings`
   * @param into where to write the gradient. Default: new arrays
   */
  async gradient(
    captions: readonly PreparedCaption[],
    targets: Float32Array,
    parameters: PhiParameters,
    { noise, masks }: StepNoise,
    into: PhiParameters = flatParameters(this.#shape).tensors,
  ): Promise<StepGradient> {
    const { forward, backward } = this.#sessions;
    const { input, hidden, output } = this.#shape;
    const rows = captions.length;

    const noisy = new Float32Array(targets.length);
    for (let at = 0; at < noisy.length; at += 1) noisy[at] = targets[at]! + noise[at]!;
    if (this.#l2Normalize) normalizeRows(noisy, input);
    const [hidden0, hidden1] = this.#hiddenOf(rows);
    const given = {
      ...Object.fromEntries(parameters),
      embeddings: { shape: [rows, input], data: noisy },
      mask0: { shape: [rows, hidden], data: masks[0] },
      mask1: { shape: [rows, hidden], data: masks[1] },
    };
    const { pseudo } = await forward.run(given, { rows }, { hidden0, hidden1 }); // [captions, width]
    const { errors, gradient } = await this.#towers.reconstruction(captions, pseudo!.data, targets);
    const cotangent = { shape: [rows, output], data: gradient };
    const wanted = [...into].map(([name, tensor]) => [`gradient:${name}`, tensor] as const);
    await backward.run({ ...given, hidden0, hidden1, cotangent }, { rows }, Object.fromEntries(wanted));
    return { errors, gradients: into };
  }

  /** Room for phi's hidden layers, the same as in the last step if it can be. */
  #hiddenOf(rows: number): readonly [Float32Tensor, Float32Tensor] {
    const { hidden } = this.#shape;
    if (this.#hidden?.[0].shape[0] !== rows) {
      const layer = (): Float32Tensor => ({ shape: [rows, hidden], data: new Float32Array(rows * hidden) });
      this.#hidden = [layer(), layer()];
    }
    return this.#hidden;
  }

  async dispose(): Promise<void> {
    await this.#towers.dispose();
    for (const session of Object.values(this.#sessions)) await session.dispose();
  }
}
