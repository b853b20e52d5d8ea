/** Runs graphs: checks the inputs, and turns failures of the runtime into LincirErrors. */

import { runtime } from '#runtime';
import { elementCount, type Float32Tensor, formatBytes, LincirError, option } from '../core/index.ts';
import type { Device } from './choices.ts';
import { formatShape, resolved, sameShape } from './dimensions.ts';
import { withFactorsInProducts } from './factors.ts';
import { buildModel, type Model } from './model.ts';
import { withPlainOperators } from './plain.ts';
import { expectPrecision, inPrecision } from './precision.ts';
import type { RunTensor, RuntimeSession, SessionOptions } from './runtime.ts';
import type { Value } from './values.ts';

/** Limit of threads, because ONNX Runtime starts any number, whatever that does to the machine. */
const mostThreads = 1024;

/** A graph that is ready to run. Owns memory outside JavaScript: dispose of it. */
export class Session {
  #session: RuntimeSession | undefined;
  readonly #inputs: Model['inputs'];
  readonly device: Device;

  private constructor(session: RuntimeSession, inputs: Model['inputs'], device: Device) {
    this.#session = session;
    this.#inputs = inputs; // not the model, whose weights may be large
    this.device = device;
  }

  /**
   * Prepares the computation of `outputs`.
   * @throws LincirError 'device' when the device is missing or refuses the graph, 'bad-argument' for other options, such as a
   * precision that the device does not offer.
   */
  static async create(
    outputs: Readonly<Record<string, Value>>,
    options: SessionOptions = {},
  ): Promise<Session> {
    const { device = 'cpu', deviceId, precision = 'float32', threads } = options;
    expectDevice(device);
    expectPrecision(precision, device);
    if (deviceId !== undefined && !(device === 'cuda' && Number.isInteger(deviceId) && deviceId >= 0)) {
      throw badArgument('deviceId', "a whole number from 0 on, for the device 'cuda'", `${deviceId}`);
    }
    if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= mostThreads)) {
      throw badArgument('threads', `a whole number from 1 to ${mostThreads}`, `${threads}`);
    }
    // ONNX Runtime 1.30's WebGPU kernel for attention is wrong by 10 % and more from 32 queries on where subgroups have
    // fewer than 8 lanes, as software drivers' do, and had such faults on other GPUs before.
    const movesFactors = precision === 'float32' || precision === 'tf32';
    const plain = withPlainOperators(
      outputs,
      device === 'webgpu' ? ['MultiHeadAttention'] : [],
      movesFactors,
    );
    const moved = movesFactors ? withFactorsInProducts(plain) : plain;
    const model = buildModel(inPrecision(moved, precision, device));
    const weights = await inMemory(model.weights, device);
    try {
      const { bytes, folder } = model;
      const session = await runtime.open({ bytes, folder, weights }, { ...options, device });
      return new Session(session, model.inputs, device);
    } catch (cause) {
      throw cause instanceof LincirError
        ? cause
        : deviceError(device, 'to accept the graph', cause, deviceId);
    }
  }

  /** The inputs that the outputs need. */
  get inputNames(): string[] {
    return [...this.#inputs.keys()];
  }

  /**
   * Runs the graph. Blocks its thread until done.
   * @param into where to write outputs, by name: arrays that no input has. Outputs that are not named get new ones
   * @throws LincirError 'bad-argument' for an input that is missing, unknown or of another shape, and after dispose().
   */
  async run<Name extends string>(
    feeds: Readonly<Record<string, RunTensor>>,
    into: Readonly<Record<string, Float32Tensor>> = {},
  ): Promise<Record<Name, Float32Tensor>> {
    const session = this.#session;
    if (!session) {
      throw badArgument('a session', 'one that was not disposed of', 'one that was');
    }
    expectFeeds(this.#inputs, feeds);
    try {
      return (await session.run(feeds, into)) as Record<Name, Float32Tensor>;
    } catch (cause) {
      throw cause instanceof LincirError ? cause : deviceError(this.device, 'to run the graph', cause);
    }
  }

  /** Ends profiling, if it is on, and frees the session. A second call does nothing. */
  async dispose(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.dispose();
  }
}

/** The bytes of weights, each in its own buffer. Throws LincirError 'device' if there are too many for memory. */
async function inMemory(weights: Model['weights'], device: Device): Promise<ReadonlyMap<string, Uint8Array>> {
  const bytes = [...weights.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const { mostWeights = Infinity } = runtime;
  if (bytes > mostWeights) throw tooLarge(device, bytes, `room for ${formatBytes(mostWeights)} at most`);
  const read = Array.from(weights, async ([name, { source, offset, byteLength }]) => {
    return [name, await source.read(offset, byteLength)] as const;
  });
  const all = await Promise.all(read).catch((error: unknown) => {
    throw error instanceof RangeError
      ? tooLarge(device, bytes, `none left (${error.message})`, error)
      : error;
  });
  return new Map(all);
}

function tooLarge(device: Device, bytes: number, found: string, cause?: unknown): LincirError {
  return new LincirError('device', {
    subject: `device '${device}'`,
    expected: `memory for the tower's weights, ${formatBytes(bytes)}`,
    found,
    todo: 'use a smaller model, dispose of models that are not in use, or close other tabs and programs',
    cause,
  });
}

function expectFeeds(inputs: Model['inputs'], feeds: Readonly<Record<string, RunTensor>>): void {
  const symbols = new Map<string, number>();
  for (const name of Object.keys(feeds)) {
    if (!inputs.has(name)) throw badFeed(name, `one of ${[...inputs.keys()].join(', ')}`, 'no such input');
  }
  for (const [name, { type, shape }] of inputs) {
    const feed = feeds[name];
    if (!feed) throw badFeed(name, `${type} values of shape ${formatShape(shape)}`, 'none');
    for (const [axis, size] of shape.entries()) {
      const given = feed.shape[axis];
      if (typeof size === 'string' && given !== undefined && !symbols.has(size)) symbols.set(size, given);
    }
  }
  for (const [name, { type, shape }] of inputs) {
    const feed = feeds[name]!;
    const sizes = shape.map((size, axis) => resolved(size, symbols) ?? feed.shape[axis] ?? size);
    if (!sameShape(feed.shape, sizes)) {
      const here = shape.some((size) => typeof size === 'string') ? `, here ${formatShape(sizes)}` : '';
      throw badFeed(name, `${formatShape(shape)}${here}`, formatShape(feed.shape));
    }
    const given = feed.data instanceof BigInt64Array ? 'int64' : 'float32';
    if (given !== type) throw badFeed(name, `${type} values`, given);
    if (feed.data.length !== elementCount(feed.shape)) {
      throw badFeed(name, `${elementCount(feed.shape)} values`, `${feed.data.length}`);
    }
  }
}

function badFeed(name: string, expected: string, found: string): LincirError {
  return badArgument(`input '${name}'`, expected, found);
}

function badArgument(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-argument', { subject, expected, found });
}

function expectDevice(device: Device): void {
  const supported = runtime.devices();
  if (supported.includes(device)) return;
  throw new LincirError('device', {
    subject: `device '${device}'`,
    expected: `one that ONNX Runtime offers here (${supported.join(', ')})`,
    found: `none of that name on ${runtime.platform}`,
    todo: 'choose another device',
  });
}

function deviceError(device: Device, expected: string, cause: unknown, deviceId?: number): LincirError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/too many open files|SystemError : 24\b/i.test(message)) {
    const subject = /open file "(.*?)" failed/i.exec(message)?.[1] ?? `weights for device '${device}'`;
    const found = 'too many open files in this process';
    const todo = 'allow more open files (ulimit -n), or close other programs';
    return new LincirError('io', { subject, expected: 'something that can be read', found, todo, cause });
  }
  const [, failure] = /(CUDA failure [^;]*?) *;/.exec(message) ?? [];
  const found = failure ?? message.replace(/^\S*onnxruntime_src.* was false\. /s, '').trim(); // its assertions name source lines
  const needs = runtime.needs[device];
  const todo = found.includes('requires f16')
    ? `this GPU or its driver does not compute in float16: use ${option<SessionOptions>('precision', 'float32')}`
    : needs === undefined
      ? 'please report this graph'
      : `${needs}; otherwise use ${option<SessionOptions>('device', 'cpu')}`;
  const number = deviceId === undefined ? '' : `, number ${deviceId}`;
  return new LincirError('device', { subject: `device '${device}'${number}`, expected, found, todo, cause });
}
