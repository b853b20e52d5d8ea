/** Runs phi: takes CLIP's embeddings, returns pseudo tokens. */

import { openPhi } from '#models';
import type { Clip } from '../clip/index.ts';
import {
  type Float32Tensor,
  type LicensedDownloadOptions,
  LincirError,
  type RandomAccess,
} from '../core/index.ts';
import { input, l2Normalize, Session, type SessionOptions } from '../onnx/index.ts';
import { expectPhiFits, type PhiInfo, readPhi } from './file.ts';
import { type PhiParameters, phiGraph } from './network.ts';

/** Where phi is computed. */
type Place = { readonly [Key in 'device' | 'deviceId' | 'threads']?: SessionOptions[Key] | undefined };

export interface LoadPhiOptions extends Place, LicensedDownloadOptions {
  /** The model that phi must have been trained for. */
  readonly clip?: Pick<Clip, 'config' | 'fingerprint' | 'id' | 'folder'>;
}

/** Embeddings of one run: enough to keep a device busy, in bounded memory. */
const rowsPerRun = 1024;

/**
 * Loads a phi, our own or one that a method's authors published.
 * @param phi a file, a training run's folder, or a name on the hub, from which it is downloaded once
 * @throws LincirError 'not-found', 'io', 'bad-file', 'device', 'network'; 'bad-argument' when it is not one for the model `clip`
 */
export async function loadPhi(
  phi: string | RandomAccess,
  { device, threads, clip, ...options }: LoadPhiOptions = {},
): Promise<Phi> {
  const file = typeof phi === 'string' ? await openPhi(phi, { model: clip?.id, ...options }) : phi;
  const stored = await readPhi(file);
  if (clip) expectPhiFits(stored, clip);
  return await Phi.create(stored.info, stored.parameters, { device, threads });
}

/** A phi that is ready to use. Owns memory outside JavaScript: dispose of it. */
export class Phi {
  readonly info: PhiInfo;
  readonly #parameters: PhiParameters;
  readonly #session: Session;

  private constructor(info: PhiInfo, parameters: PhiParameters, session: Session) {
    this.info = info;
    this.#parameters = parameters;
    this.#session = session;
  }

  /** A phi with these parameters. They are not copied: every use takes their current values. Throws 'device'. */
  static async create(
    info: PhiInfo,
    parameters: PhiParameters,
    { device, deviceId, threads }: Place = {},
  ): Promise<Phi> {
    const embeddings = input('embeddings', 'float32', ['rows', info.shape.input]);
    const inputs = [...parameters].map(([name, { shape }]) => [name, input(name, 'float32', shape)] as const);
    const given = info.l2Normalize ? l2Normalize(embeddings) : embeddings;
    const pseudo = phiGraph(given, info.shape, new Map(inputs));
    return new Phi(info, parameters, await Session.create({ pseudo }, { device, deviceId, threads }));
  }

  /**
   * Turns embeddings into pseudo tokens, in bounded memory besides the result. On a CPU, a pseudo token is the same to the
   * bit, whatever other rows there are: ONNX Runtime sums up a single row in another order than several, so that runs as two.
   * @param embeddings [n, input], as CLIP gives them: not scaled to length 1
   * @returns [n, output], to stand in place of token embeddings
   * @throws LincirError 'bad-argument' for embeddings of other dimensions
   */
  async encode({ shape, data }: Float32Tensor): Promise<Float32Tensor> {
    const { input: size, output } = this.info.shape;
    const [rows = 0] = shape;
    if (shape.length !== 2 || shape[1] !== size || data.length !== rows * size) {
      throw new LincirError('bad-argument', {
        subject: 'embeddings',
        expected: `[n, ${size}]`,
        found: `[${shape.join(', ')}] with ${data.length} values`,
      });
    }
    const all = new Float32Array(rows * output);
    const parameters = Object.fromEntries(this.#parameters);
    for (let start = 0; start < rows; start += rowsPerRun) {
      const chunk = data.subarray(start * size, (start + rowsPerRun) * size);
      const given = chunk.length === size ? Float32Array.of(...chunk, ...chunk) : chunk;
      const embeddings = { shape: [given.length / size, size], data: given };
      const { pseudo } = await this.#session.run<'pseudo'>({ ...parameters, embeddings });
      all.set(pseudo.data.subarray(0, (chunk.length / size) * output), start * output);
    }
    return { shape: [rows, output], data: all };
  }

  async dispose(): Promise<void> {
    await this.#session.dispose();
  }
}
