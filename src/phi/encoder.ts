/** phi at work: CLIP's embeddings in, pseudo tokens out. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clip } from '../clip/index.ts';
import { type Float32Tensor, LincirError } from '../core/index.ts';
import { type PhiOptions, phiPresets, resolvePhi } from '../hub/index.ts';
import { input, l2Normalize, Session, type SessionOptions } from '../onnx/index.ts';
import { expectPhiFits, type PhiInfo, readPhi } from './file.ts';
import { type PhiParameters, phiGraph } from './network.ts';

/** Where phi is computed. */
type Place = { readonly [Key in 'device' | 'threads']?: SessionOptions[Key] | undefined };

export interface LoadPhiOptions extends Place, PhiOptions {
  /** The model that phi must have been trained for. */
  readonly clip?: Pick<Clip, 'config' | 'fingerprint' | 'id' | 'folder'>;
}

/** The phis in a training run's folder. */
export const runPhis = { best: 'phi-best.safetensors', latest: 'phi-latest.safetensors' } as const;

/** Embeddings of one run: enough to keep a device busy, at a bounded need of memory. */
const rowsPerRun = 1024;

/**
 * Loads a phi: a file, ours or a published one; a run's folder; or one on the hub, which is downloaded once.
 * @param name what is here under this name wins; else a preset such as `lincir-large`, or OWNER/NAME[/FILE][@REVISION]
 * @throws LincirError 'not-found', 'io', 'bad-file', 'device', 'network'; 'bad-argument' when it is not one for the model `clip`
 */
export async function loadPhi(
  name: string,
  { device, threads, ...options }: LoadPhiOptions = {},
): Promise<Phi> {
  const phi = await readPhi(await phiFileOf(name, options));
  if (options.clip) expectPhiFits(phi, options.clip);
  return await Phi.create(phi.info, phi.parameters, { device, threads });
}

/** The file that `loadPhi` reads: of a run's folder its best phi, or else the latest. Throws as `loadPhi` does. */
export async function phiFileOf(
  name: string,
  { clip, ...options }: PhiOptions & Pick<LoadPhiOptions, 'clip'> = {},
): Promise<string> {
  const here = await stat(name).catch(() => undefined);
  if (here && !here.isDirectory()) return name;
  if (!here) return (await published(name, clip?.id, options)) ?? name;
  for (const part of [runPhis.best, runPhis.latest]) {
    const file = join(name, part);
    if (await stat(file).catch(() => undefined)) return file;
  }
  throw new LincirError('not-found', {
    subject: name,
    expected: "phi, or a run's folder with one",
    found: 'a folder without',
    todo: 'name the file, or train one: lincir train',
  });
}

async function published(
  name: string,
  model: string | undefined,
  options: PhiOptions,
): Promise<string | undefined> {
  try {
    const found = await resolvePhi(name, options);
    if (!found && /^[\w-]+$/.test(name)) throw unknownName(name);
    // What authors publish does not say which model it is for, and models share their dimensions.
    if (!found?.model || !model || found.model === model) return found?.file;
    throw new LincirError('bad-argument', {
      subject: `phi ${name}`,
      expected: `one for ${model}`,
      found: `one for ${found.model}`,
      todo: `index with --model ${found.model}, or take another phi: lincir models lists those that are published`,
    });
  } catch (error) {
    if (!(error instanceof LincirError) || (error.code !== 'not-found' && error.code !== 'network'))
      throw error;
    const subject = `phi ${name}, which is no file or folder here: ${error.problem.subject}`;
    throw new LincirError(error.code, { ...error.problem, subject, cause: error });
  }
}

function unknownName(name: string): LincirError {
  return new LincirError('bad-argument', {
    subject: `phi ${name}`,
    expected: `a file, a run's folder, OWNER/NAME on the hub, or one of ${phiPresets
      .map((preset) => preset.name)
      .join(', ')}`,
    found: 'none of these',
    todo: 'check the name: lincir models lists those that are published',
  });
}

/** A phi, ready to be used. Owns memory outside JavaScript: dispose of it. */
export class Phi {
  readonly info: PhiInfo;
  readonly #parameters: PhiParameters;
  readonly #session: Session;

  private constructor(info: PhiInfo, parameters: PhiParameters, session: Session) {
    this.info = info;
    this.#parameters = parameters;
    this.#session = session;
  }

  /** A phi with these parameters, which are not copied: every use takes them as they then are. Throws 'device'. */
  static async create(
    info: PhiInfo,
    parameters: PhiParameters,
    { device, threads }: Place = {},
  ): Promise<Phi> {
    const embeddings = input('embeddings', 'float32', ['rows', info.shape.input]);
    const inputs = [...parameters].map(([name, { shape }]) => [name, input(name, 'float32', shape)] as const);
    const given = info.l2Normalize ? l2Normalize(embeddings) : embeddings;
    const pseudo = phiGraph(given, info.shape, new Map(inputs));
    const options = { ...(device && { device }), ...(threads !== undefined && { threads }) };
    return new Phi(info, parameters, await Session.create({ pseudo }, options));
  }

  /**
   * Turns embeddings into pseudo tokens, in bounded memory beside the result.
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
      const embeddings = { shape: [chunk.length / size, size], data: chunk };
      const { pseudo } = await this.#session.run<'pseudo'>({ ...parameters, embeddings });
      all.set(pseudo.data, start * output);
    }
    return { shape: [rows, output], data: all };
  }

  async dispose(): Promise<void> {
    await this.#session.dispose();
  }
}
