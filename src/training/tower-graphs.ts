/** The graphs of the frozen text tower on one device of this process. */

import { computePrefix } from '../clip/index.ts';
import { type RunTensor, Session, type SessionOptions } from '../onnx/index.ts';
import { encoderGraph, reconstructionGraph, type TextModel } from '../phi/index.ts';
import { withFiniteGradient } from './loss-scale.ts';
import type { TowerKind, TowerResult, TowerRunner, TowerTask } from './tower-task.ts';

type Prefix = Awaited<ReturnType<typeof computePrefix>>;

/** Computes one batch after the other. Owns memory outside JavaScript: dispose of it. */
export class TowerGraphs implements TowerRunner {
  readonly #sessions: Readonly<Record<TowerKind, Session>>;
  readonly #prefix: Prefix;
  readonly #isHalf: boolean;

  private constructor(sessions: Readonly<Record<TowerKind, Session>>, prefix: Prefix, isHalf: boolean) {
    this.#sessions = sessions;
    this.#prefix = prefix;
    this.#isHalf = isHalf;
  }

  /** @throws LincirError 'device', and 'bad-file' for weights that do not fit the config */
  static async create(model: TextModel, options: SessionOptions): Promise<TowerGraphs> {
    const { startOfText } = model;
    const prefix = await computePrefix(model, startOfText === undefined ? [] : [startOfText], options);
    const embeddings = await Session.create(encoderGraph(model), options);
    const isHalf = options.precision === 'float16';
    const reconstruction = await Session.create(reconstructionGraph(model, isHalf), options);
    return new TowerGraphs({ embeddings, reconstruction }, prefix, isHalf);
  }

  async run(tasks: readonly TowerTask[]): Promise<readonly TowerResult[]> {
    const results: TowerResult[] = [];
    for (const task of tasks) {
      const isScaled = this.#isHalf && task.kind === 'reconstruction';
      results.push(
        isScaled
          ? await withFiniteGradient((scale) =>
              this.#result(task, { scale: { shape: [], data: Float32Array.of(scale) } }),
            )
          : await this.#result(task),
      );
    }
    return results;
  }

  async #result({ kind, feeds }: TowerTask, scale: Readonly<Record<string, RunTensor>> = {}) {
    const found = await this.#sessions[kind].run({ ...feeds, ...this.#prefix.feeds, ...scale });
    return Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, data]));
  }

  async dispose(): Promise<void> {
    for (const session of Object.values(this.#sessions)) await session.dispose();
  }
}
