/** The graphs of the frozen text tower on one device of this process. */

import { computePrefix } from '../clip/index.ts';
import { Session, type SessionOptions } from '../onnx/index.ts';
import { encoderGraph, reconstructionGraph, type TextModel } from '../phi/index.ts';
import type { TowerKind, TowerResult, TowerRunner, TowerTask } from './tower-task.ts';

type Prefix = Awaited<ReturnType<typeof computePrefix>>;

/** Computes one batch after the other. Owns memory outside JavaScript: dispose of it. */
export class TowerGraphs implements TowerRunner {
  readonly #sessions: Readonly<Record<TowerKind, Session>>;
  readonly #prefix: Prefix;

  private constructor(sessions: Readonly<Record<TowerKind, Session>>, prefix: Prefix) {
    this.#sessions = sessions;
    this.#prefix = prefix;
  }

  /** @throws LincirError 'device', and 'bad-file' for weights that do not fit the config */
  static async create(model: TextModel, options: SessionOptions): Promise<TowerGraphs> {
    const prefix = await computePrefix(model, [model.startOfText], options);
    const embeddings = await Session.create(encoderGraph(model), options);
    const reconstruction = await Session.create(reconstructionGraph(model), options);
    return new TowerGraphs({ embeddings, reconstruction }, prefix);
  }

  async run(tasks: readonly TowerTask[]): Promise<readonly TowerResult[]> {
    const results: TowerResult[] = [];
    for (const { kind, feeds } of tasks) {
      const found = await this.#sessions[kind].run({ ...feeds, ...this.#prefix.feeds });
      results.push(Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, data])));
    }
    return results;
  }

  async dispose(): Promise<void> {
    for (const session of Object.values(this.#sessions)) await session.dispose();
  }
}
