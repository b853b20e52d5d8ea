/** The graphs that learn pseudo tokens through a frozen text tower, for captions and for single images. */

import {
  type ComputedPrefix,
  parametersOf,
  prefixInputs,
  type TextConfig,
  type TextInputs,
  type TokenRow,
  textInputs,
  textTower,
  tokenBatches,
} from '../clip/index.ts';
import type { Float32Tensor, StoredTensor } from '../core/index.ts';
import {
  add,
  constant,
  div,
  gather,
  gradients,
  input,
  l2Normalize,
  mul,
  productFlops,
  type RunTensor,
  reduceMean,
  reduceSum,
  reshape,
  Session,
  type SessionOptions,
  sizeAt,
  slice,
  sqrt,
  sub,
  type Value,
} from '../onnx/index.ts';
import { type PhiShape, phiLayers, phiParameterShapes } from './network.ts';

/** A frozen text tower and where its weights lie. */
export interface TextModel {
  readonly config: TextConfig;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The id with which every text begins, if there is one. */
  readonly startOfText: number | undefined;
}

/** Counts the arithmetic of a graph's runs. */
export class FlopCounter {
  readonly #outputs: readonly Value[];
  readonly #bySizes = new Map<string, number>();
  /** Floating-point operations of the matrix products of all runs. */
  flops = 0;

  constructor(outputs: readonly Value[]) {
    this.#outputs = outputs;
  }

  /** @param sizes of the symbols in the outputs' graph, in one run */
  count(sizes: Readonly<Record<string, number>>): void {
    const key = Object.values(sizes).join();
    const flops = this.#bySizes.get(key) ?? productFlops(this.#outputs, sizes);
    this.#bySizes.set(key, flops);
    this.flops += flops;
  }
}

/** A session that counts its arithmetic. */
export class CountedSession<Name extends string> {
  readonly #session: Session;
  readonly #counter: FlopCounter;

  private constructor(session: Session, counter: FlopCounter) {
    this.#session = session;
    this.#counter = counter;
  }

  static async create<Name extends string>(
    outputs: Readonly<Record<Name, Value>>,
    options: SessionOptions,
  ): Promise<CountedSession<Name>> {
    const counter = new FlopCounter(Object.values(outputs));
    return new CountedSession(await Session.create(outputs, options), counter);
  }

  /** Floating-point operations of the matrix products of all runs. */
  get flops(): number {
    return this.#counter.flops;
  }

  /**
   * @param feeds may have more than the outputs need: the last bias, for example, has no part in a gradient
   * @param sizes of the symbols in the outputs' graph
   * @param into where to write outputs, by name; others get new arrays
   */
  async run(
    feeds: Readonly<Record<string, RunTensor>>,
    sizes: Readonly<Record<string, number>>,
    into?: Readonly<Record<string, Float32Tensor>>,
  ) {
    this.#counter.count(sizes);
    const needed = this.#session.inputNames.map((name) => [name, feeds[name]!] as const);
    return await this.#session.run<Name>(Object.fromEntries(needed), into);
  }

  async dispose(): Promise<void> {
    await this.#session.dispose();
  }
}

/** Rows cut into runs of the tower graphs below: the rows, their feeds, and the sizes of their symbols. */
export function* towerBatches(
  rows: readonly TokenRow[],
  config: TextConfig,
  positionsPerRun: number,
  prefix: ComputedPrefix,
) {
  for (const { members, feeds } of tokenBatches(rows, config, positionsPerRun, prefix.ids)) {
    const sizes = {
      batch: feeds.ids.shape[0]!,
      positions: feeds.ids.shape[1]!,
      placements: feeds.injected.shape[0]!,
      prefix: prefix.ids.length,
    };
    yield { members, feeds: { ...feeds, ...prefix.feeds }, sizes };
  }
}

/** Texts to embeddings [batch, projection]. */
export function encoderGraph({ config, tensors }: TextModel) {
  const prefix = prefixInputs(config);
  return { embeddings: textTower(textInputs(config), config, parametersOf(tensors), prefix) };
}

/**
 * Self-masking projection (Gu et al., 2024, section 3.2): a caption's error is mean squared over dimensions.
 * @param isScaled see `scaledGradient`
 */
export function reconstructionGraph(model: TextModel, isScaled = false) {
  const squared = (found: Value, wanted: Value) => {
    const difference = sub(found, wanted);
    return reduceMean(mul(difference, difference), [1]);
  };
  return errorGraph(model, squared, isScaled);
}

/** Textual inversion (Baldrati et al., 2023, section 3.1): a prompt's error is 1 - its cosine with what is wanted. */
export function inversionGraph(model: TextModel) {
  return errorGraph(model, (found, wanted) =>
    sub(constant(1), reduceSum(mul(l2Normalize(found), l2Normalize(wanted)), [1])),
  );
}

/**
 * Texts to the errors of their embeddings, and the gradient of the errors' sum by the vectors that stand at the
 * placeholders. `errors` [batch]; `gradient` [placements, width].
 * @param errorsOf the embeddings and those wanted, [batch, projection] each, gives [batch]
 */
function errorGraph(
  { config, tensors }: TextModel,
  errorsOf: (found: Value, wanted: Value) => Value,
  isScaled = false,
) {
  const inputs = textInputs(config);
  const wanted = input('wanted', 'float32', ['batch', config.projection]);
  const found = textTower(inputs, config, parametersOf(tensors), prefixInputs(config));
  const errors = errorsOf(found, wanted);
  const sum = reduceSum(errors, [0]);
  const gradient = isScaled ? scaledGradient(sum, found, inputs) : gradients(sum, [inputs.injected])[0]!;
  return { errors, gradient };
}

/**
 * The gradient of `sum` by the injected vectors, for a tower in float16, where real gradients would become 0: a caption's
 * error is a mean over a thousand dimensions. The tower's gradient is linear in that of its embeddings. So each caption's
 * is scaled to the length of the graph's input `scale`, and what comes back is divided by it, in float32. [placements, width]
 */
function scaledGradient(sum: Value, found: Value, { injected, placements }: Required<TextInputs>): Value {
  const scale = input('scale', 'float32', []);
  const [cotangent] = gradients(sum, [found]); // [batch, projection]
  const squares = reduceSum(mul(cotangent!, cotangent!), [1], true);
  const lengths = sqrt(add(squares, constant(1e-30))); // [batch, 1]; not 0 where nothing is wrong
  const [scaled] = gradients(found, [injected], mul(div(cotangent!, lengths), scale));
  const rows = reshape(slice(placements, 1, 0, 1), [sizeAt(placements, 0)]);
  return mul(div(scaled!, scale), gather(lengths, rows));
}

/**
 * phi in training. `forward`: embeddings [rows, input] to pseudo tokens [rows, output], and each hidden layer before its
 * activation [rows, hidden]. `backward`: from these and the pseudo tokens' gradient to the parameters' gradients, without
 * computing anything twice but activations.
 */
export function phiGraphs(shape: PhiShape) {
  const { input: from, hidden, output } = shape;
  const parameters = new Map(
    [...phiParameterShapes(shape)].map(([name, sizes]) => [name, input(name, 'float32', sizes)]),
  );
  const masks = [0, 1].map((layer) => input(`mask${layer}`, 'float32', ['rows', hidden]));
  const layers = phiLayers(shape, parameters, masks);
  const embeddings = input('embeddings', 'float32', ['rows', from]);
  const forward: Value[] = [];
  for (const { activate, linear } of layers) forward.push(linear(activate(forward.at(-1) ?? embeddings)));

  const given = [embeddings, ...[0, 1].map((layer) => input(`hidden${layer}`, 'float32', ['rows', hidden]))];
  const backward: Record<string, Value> = {};
  let cotangent = input('cotangent', 'float32', ['rows', output]);
  for (const [index, { names, activate, linear }] of [...layers.entries()].reverse()) {
    const before = given[index]!;
    const targets = names.map((name) => parameters.get(name)!);
    const wanted = index === 0 ? targets : [...targets, before];
    const found = gradients(linear(activate(before)), wanted, cotangent);
    for (const [at, name] of names.entries()) backward[`gradient:${name}`] = found[at]!;
    cotangent = found.at(-1)!;
  }
  const [hidden0, hidden1, pseudo] = forward as [Value, Value, Value];
  return { forward: { hidden0, hidden1, pseudo }, backward };
}
