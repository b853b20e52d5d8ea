/** Methods by their names, with the files that they need: what a command line can name. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Clip } from '../clip/index.ts';
import { type LicensedDownloadOptions, LincirError } from '../core/index.ts';
import { asLincirError } from '../files/index.ts';
import { phiFileOf } from '../hub/index.ts';
import type { Device } from '../onnx/index.ts';
import { loadPhi, type Phi } from '../phi/index.ts';
import { invertCached } from './inversion-cache.ts';
import { baseline, type EvaluationMethod, type MethodToEvaluate } from './methods.ts';

export interface OpenMethodsOptions {
  readonly clip: Clip;
  /** Files, a run's folder, or names on the hub, of the methods that go by a phi. */
  readonly phi?: Readonly<Partial<Record<'lincir' | 'searle' | 'pic2word', string | undefined>>>;
  /** Of the text. */
  readonly weights?: Readonly<Partial<Record<'sum' | 'slerp', number | undefined>>>;
  /** Where `oti` keeps its words. */
  readonly cache?: string | undefined;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of phis on the hub. */
  readonly download?: Pick<LicensedDownloadOptions, 'onProgress' | 'onLicence'> | undefined;
  /** Told how many of so many images `oti` has inverted. */
  readonly onInversion?: ((done: number, total: number) => void) | undefined;
}

/** Owns memory outside JavaScript: dispose of it. */
export interface OpenedMethods {
  readonly methods: readonly MethodToEvaluate[];
  dispose(): Promise<void>;
}

/**
 * Opens methods.
 * @throws LincirError 'bad-argument' for a method whose phi is not given, and what `loadPhi` throws
 */
export async function openMethods(
  names: readonly EvaluationMethod[],
  options: OpenMethodsOptions,
): Promise<OpenedMethods> {
  const loaded: Phi[] = [];
  const dispose = async () => {
    for (const phi of loaded) await phi.dispose();
  };
  try {
    const methods: MethodToEvaluate[] = [];
    for (const name of names) {
      if (name === 'lincir' || name === 'searle' || name === 'pic2word') {
        const { phi, method } = await withPhi(name, options);
        loaded.push(phi);
        methods.push(method);
      } else if (name === 'oti') methods.push(inversion(options));
      else if (name === 'sum' || name === 'slerp') methods.push(baseline(name, options.weights?.[name]));
      else methods.push(baseline(name));
    }
    return { methods, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function withPhi(
  name: 'lincir' | 'searle' | 'pic2word',
  { clip, phi: files = {}, device, threads, signal, download }: OpenMethodsOptions,
): Promise<{ phi: Phi; method: MethodToEvaluate }> {
  const given = files[name];
  if (given === undefined) {
    throw new LincirError('bad-argument', {
      subject: `method ${name}`,
      expected: 'its phi, which makes a word of an image',
      found: 'none',
      todo: `give ${name === 'lincir' ? '--phi' : `--${name}`} FILE, or leave the method out`,
    });
  }
  const file = await phiFileOf(given, { model: clip.id, signal, ...download });
  const phi = await loadPhi(file, {
    clip,
    ...(device && { device }),
    ...(threads !== undefined && { threads }),
  });
  const { shape, l2Normalize, step } = phi.info;
  const settings = {
    phi: file,
    sha256: await sha256(file),
    architecture: shape.architecture,
    l2Normalize,
    step: step ?? null,
  };
  return { phi, method: { name, settings, way: (embeddings) => phi.encode(embeddings) } };
}

/** Optimisation-based textual inversion: a word for each image, without any phi. */
function inversion(options: OpenMethodsOptions): MethodToEvaluate {
  const { clip, cache, device, threads, signal, onInversion } = options;
  const padding = clip.targetPad === null ? '' : `, padded to ${clip.targetPad}`;
  return {
    name: 'oti',
    settings: { steps: 350, learningRate: 0.02, averageDecay: 0.99, seed: 0 },
    way: (embeddings, ids) =>
      invertCached({
        ...{ clip, embeddings },
        // The same image in another place is the same: its embedding tells it apart.
        keys: ids.map((_, row) => keyOf(embeddings.data, row, ids.length) + padding),
        ...(cache !== undefined && { cache: join(cache, 'words', clip.fingerprint) }),
        ...(device && { device }),
        ...(threads !== undefined && { threads }),
        ...(signal && { signal }),
        onProgress: (done) => onInversion?.(done, ids.length),
      }),
  };
}

/** A hash of one row of a matrix. */
function keyOf(data: Float32Array, row: number, rows: number): string {
  const size = data.length / rows;
  return createHash('sha256')
    .update(data.subarray(row * size, (row + 1) * size))
    .digest('hex');
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  } catch (error) {
    throw asLincirError(error, path, 'read');
  }
  return hash.digest('hex');
}
