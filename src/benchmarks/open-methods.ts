/** Opens methods by name, with the files that they need. */

import type { Clip } from '../clip/index.ts';
import { type Method, methods } from '../composition/index.ts';
import { type LicensedDownloadOptions, LincirError, option } from '../core/index.ts';
import { hashOfFile } from '../files/index.ts';
import { phiFileOf } from '../hub/index.ts';
import type { Device } from '../onnx/index.ts';
import { loadPhi, type Phi } from '../phi/index.ts';
import { type OpenInversionOptions, openInversion } from '../search/index.ts';
import { type MethodToEvaluate, methodToEvaluate } from './methods.ts';

interface OpenMethodsOptions {
  readonly clip: Clip;
  /** Files, runs' folders, or names on the hub, for the methods that need a phi. */
  readonly phi?: Readonly<Partial<Record<Method, string>>>;
  /** Of the text. */
  readonly weights?: Readonly<Partial<Record<Method, number>>>;
  /** Of `oti`. */
  readonly inversion?: OpenInversionOptions['settings'];
  /** Folder in which `oti` keeps its pseudo tokens. */
  readonly cache?: string;
  readonly device?: Device;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Options for phis on the hub. */
  readonly download?: Pick<LicensedDownloadOptions, 'onProgress' | 'onLicence'>;
  /** Called with how many of all images `oti` has inverted. */
  readonly onInversion?: (done: number, total: number) => void;
}

/** Owns memory outside JavaScript: dispose of it. */
interface OpenedMethods {
  readonly methods: readonly MethodToEvaluate[];
  dispose(): Promise<void>;
}

/**
 * Opens methods.
 * @throws LincirError 'bad-argument' for a method whose phi is not given, and what `loadPhi` throws
 */
export async function openMethods(
  names: readonly Method[],
  options: OpenMethodsOptions,
): Promise<OpenedMethods> {
  const loaded: Phi[] = [];
  const dispose = async () => {
    for (const phi of loaded) await phi.dispose();
  };
  try {
    const opened: MethodToEvaluate[] = [];
    for (const method of names) {
      const { pseudoTokens } = methods[method];
      if (pseudoTokens === 'phi') {
        const { phi, settings } = await openPhi(method, options);
        loaded.push(phi);
        opened.push(methodToEvaluate(method, { phi, settings }));
      } else if (pseudoTokens === 'inversion') {
        const { inversion: settings, onInversion: onProgress, ...others } = options;
        const phi = openInversion({ ...others, settings, onProgress });
        opened.push(methodToEvaluate(method, { phi, settings: phi.settings }));
      } else opened.push(methodToEvaluate(method, { weight: options.weights?.[method] }));
    }
    return { methods: opened, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The phi given for a method, and its record. */
async function openPhi(
  method: Method,
  { clip, phi: files = {}, device, threads, signal, download }: OpenMethodsOptions,
) {
  const given = files[method];
  if (given === undefined) {
    throw new LincirError('bad-argument', {
      subject: `method ${method}`,
      expected: 'its phi, which makes a pseudo token of an image',
      found: 'none',
      todo: `give ${option<Record<`phi.${Method}`, string>>(`phi.${method}`, 'FILE')}, or leave the method out`,
    });
  }
  const file = await phiFileOf(given, { model: clip.id, signal, ...download });
  const phi = await loadPhi(file, { clip, device, threads });
  const { shape, l2Normalize, step = null } = phi.info;
  const { architecture } = shape;
  return { phi, settings: { phi: file, sha256: await hashOfFile(file), architecture, l2Normalize, step } };
}
