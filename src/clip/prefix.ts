/** Keys and values of the tokens with which many texts begin, computed once: exact, because the text tower is causal. */

import type { Float32Tensor, StoredTensor } from '../core/index.ts';
import { input, type RunTensor, Session, type SessionOptions } from '../onnx/index.ts';
import { isCausal, type TextConfig } from './config.ts';
import { textInputs } from './text-inputs.ts';
import { prefixInputs, textPrefix, textTower } from './text-tower.ts';
import { independentBatches, type TokenRow } from './token-batches.ts';
import { parametersOf } from './transformer.ts';

/** A text tower, and where its weights lie. */
interface StoredTower {
  readonly config: TextConfig;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** The tokens with which all texts of a run begin, and their keys and values: inputs of a tower with a prefix. */
export interface ComputedPrefix {
  readonly ids: readonly number[];
  readonly feeds: Readonly<Partial<Record<'prefixKeys' | 'prefixValues', RunTensor>>>;
}

/**
 * For a tower that is not causal, an empty one.
 * @param prefix the start of text, and whatever else all texts have in common
 */
export async function computePrefix(
  { config, tensors }: StoredTower,
  prefix: readonly number[],
  options: SessionOptions,
): Promise<ComputedPrefix> {
  if (!isCausal(config)) return { ids: [], feeds: {} };
  const shape = [1, prefix.length];
  const { keys, values } = textPrefix(input('ids', 'int64', shape), config, parametersOf(tensors));
  const session = await Session.create({ keys, values }, options);
  const given = { ids: { shape, data: BigInt64Array.from(prefix, BigInt) } };
  const results = await session.run<'keys' | 'values'>(given);
  await session.dispose();
  return { ids: prefix, feeds: { prefixKeys: results.keys, prefixValues: results.values } };
}

/** A text tower that has computed some beginnings of texts. Each row is encoded as if it were alone. */
export class PrefixedTower {
  readonly #config: TextConfig;
  readonly #session: Session;
  /** The longest first. */
  readonly #prefixes: readonly ComputedPrefix[];

  private constructor(config: TextConfig, session: Session, prefixes: readonly ComputedPrefix[]) {
    this.#config = config;
    this.#session = session;
    this.#prefixes = prefixes;
  }

  /** @param beginnings with the start of text. Every row must begin with one of them */
  static async create(
    tower: StoredTower,
    beginnings: readonly (readonly number[])[],
    options: SessionOptions,
  ): Promise<PrefixedTower> {
    const { config, tensors } = tower;
    const prefixes: ComputedPrefix[] = [];
    for (const ids of beginnings.toSorted((a, b) => b.length - a.length)) {
      prefixes.push(await computePrefix(tower, ids, { ...options, prepack: false }));
    }
    const embeddings = textTower(textInputs(config), config, parametersOf(tensors), prefixInputs(config));
    return new PrefixedTower(config, await Session.create({ embeddings }, options), prefixes);
  }

  /** Un-normalised embeddings: [rows, projection]. */
  async encode(rows: readonly TokenRow[], positionsPerRun: number): Promise<Float32Tensor> {
    const { projection } = this.#config;
    const data = new Float32Array(rows.length * projection);
    const prefixOf = ({ ids }: TokenRow) =>
      this.#prefixes.find((prefix) => prefix.ids.every((id, at) => ids[at] === id)) ?? this.#prefixes.at(-1)!;
    for (const [prefix, places] of Map.groupBy(rows.keys(), (place) => prefixOf(rows[place]!))) {
      const some = places.map((place) => rows[place]!);
      for (const { members, feeds } of independentBatches(some, this.#config, positionsPerRun, prefix.ids)) {
        const { embeddings } = await this.#session.run<'embeddings'>({ ...feeds, ...prefix.feeds });
        for (const [at, member] of members.entries()) {
          const embedding = embeddings.data.subarray(at * projection, (at + 1) * projection);
          data.set(embedding, places[member]! * projection);
        }
      }
    }
    return { shape: [rows.length, projection], data };
  }

  async dispose(): Promise<void> {
    await this.#session.dispose();
  }
}
