/** The graphs of a training step: self-masking projection (Gu et al., 2024, section 3.2) on a frozen text tower. */

import {
  parametersOf,
  prefixInputs,
  type TextConfig,
  textInputs,
  textPrefix,
  textTower,
} from '../clip/index.ts';
import type { StoredTensor } from '../core/index.ts';
import {
  gradients,
  input,
  mul,
  productFlops,
  type RunTensor,
  reduceMean,
  reduceSum,
  Session,
  type SessionOptions,
  sub,
  type Value,
} from '../onnx/index.ts';
import { type PhiShape, phiGraph, phiParameterShapes } from './phi.ts';

/** A frozen text tower and where its weights lie. */
export interface TextModel {
  readonly config: TextConfig;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly startOfText: number;
}

/** A session that counts its arithmetic. */
export class CountedSession<Name extends string> {
  readonly #outputs: readonly Value[];
  readonly #session: Session;
  readonly #flops = new Map<string, number>();
  /** Floating-point operations of the matrix products of all runs. */
  flops = 0;

  private constructor(outputs: readonly Value[], session: Session) {
    this.#outputs = outputs;
    this.#session = session;
  }

  static async create<Name extends string>(
    outputs: Readonly<Record<Name, Value>>,
    options: SessionOptions,
  ): Promise<CountedSession<Name>> {
    return new CountedSession(Object.values(outputs), await Session.create(outputs, options));
  }

  /**
   * @param feeds what the outputs do not need of these is left aside: the last bias has no part in a gradient
   * @param sizes of the symbols in the outputs' graph
   */
  async run(feeds: Readonly<Record<string, RunTensor>>, sizes: Readonly<Record<string, number>>) {
    const key = Object.values(sizes).join();
    const flops = this.#flops.get(key) ?? productFlops(this.#outputs, sizes);
    this.#flops.set(key, flops);
    this.flops += flops;
    const needed = this.#session.inputNames.map((name) => [name, feeds[name]!] as const);
    return await this.#session.run<Name>(Object.fromEntries(needed));
  }

  async dispose(): Promise<void> {
    await this.#session.dispose();
  }
}

/** The keys and values of the start of text, with which every text begins: inputs for the two tower graphs below. */
export async function startOfTextFeeds(
  { config, tensors, startOfText }: TextModel,
  options: SessionOptions,
): Promise<Record<'prefixKeys' | 'prefixValues', RunTensor>> {
  const ids = input('ids', 'int64', [1, 1]);
  const { keys, values } = textPrefix(ids, config, parametersOf(tensors));
  const session = await Session.create({ keys, values }, options);
  const given = { ids: { shape: [1, 1], data: BigInt64Array.of(BigInt(startOfText)) } };
  const results = await session.run<'keys' | 'values'>(given);
  await session.dispose();
  return { prefixKeys: results.keys, prefixValues: results.values };
}

/** Texts to embeddings [batch, projection]. */
export function encoderGraph({ config, tensors }: TextModel) {
  const prefix = prefixInputs(config);
  return { embeddings: textTower(textInputs(config), config, parametersOf(tensors), prefix) };
}

/**
 * Masked captions to the error of their embeddings, and the gradient of the errors' sum by the vectors that stand at
 * the placeholders. `errors` [batch]: mean squared over dimensions; `gradient` [placements, width].
 */
export function reconstructionGraph({ config, tensors }: TextModel) {
  const inputs = textInputs(config);
  const wanted = input('wanted', 'float32', ['batch', config.projection]);
  const found = textTower(inputs, config, parametersOf(tensors), prefixInputs(config));
  const difference = sub(found, wanted);
  const errors = reduceMean(mul(difference, difference), [1]);
  const [gradient] = gradients(reduceSum(errors, [0]), [inputs.injected]);
  return { errors, gradient: gradient! };
}

/** phi in training: embeddings [rows, input] to pseudo tokens [rows, output]; and its parameters' gradients. */
export function phiGraphs(shape: PhiShape) {
  const { input: from, hidden, output } = shape;
  const parameters = new Map(
    [...phiParameterShapes(shape)].map(([name, sizes]) => [name, input(name, 'float32', sizes)]),
  );
  const embeddings = input('embeddings', 'float32', ['rows', from]);
  const masks = [0, 1].map((layer) => input(`mask${layer}`, 'float32', ['rows', hidden]));
  const pseudo = phiGraph(embeddings, shape, parameters, [masks[0]!, masks[1]!]);
  const cotangent = input('cotangent', 'float32', ['rows', output]);
  const product = reduceSum(mul(pseudo, cotangent), [0, 1]); // its gradient is the chain rule's
  const found = gradients(product, [...parameters.values()]);
  const byName = [...parameters.keys()].map((name, index) => [`gradient:${name}`, found[index]!] as const);
  return { forward: { pseudo }, backward: Object.fromEntries(byName) };
}
