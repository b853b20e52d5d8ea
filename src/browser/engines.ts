/** Loads ONNX Runtime's WebAssembly builds, each when it is first needed, as the page has chosen. */

import type * as Ort from 'onnxruntime-web/wasm';
import { LincirError, option } from '../core/index.ts';
import { warn } from './kept.ts';
import { takeWhatMemoryThereIs } from './memory.ts';

/** What a page chooses before the first session of its thread (the page's own, or a worker's). */
export interface RuntimeChoices {
  /**
   * ONNX Runtime's WebAssembly files: their addresses, or their bytes. Default: where the bundler put them. `cpu` is
   * `ort-wasm-simd-threaded.wasm` (14 MB), `webgpu` is `ort-wasm-simd-threaded.asyncify.wasm` (27 MB).
   */
  readonly wasm?: Readonly<Partial<Record<BrowserDevice, WasmFile>>>;
  /** Threads of one operator on the CPU. Default: `mostThreads()`. */
  readonly threads?: number;
}

export type BrowserDevice = 'cpu' | 'webgpu';
type WasmFile = URL | string | ArrayBuffer | Uint8Array<ArrayBuffer>;

export interface Engine {
  readonly ort: typeof Ort;
  /** Runs tasks one after the other: ONNX Runtime crashes if two of them wait for the GPU (microsoft/onnxruntime 32561). */
  inTurn<Result>(task: () => Promise<Result>): Promise<Result>;
}

/** Beyond this, threads wait for one another more than they compute. */
const usefulThreads = 8;

let choices: RuntimeChoices = {};
const engines: Partial<Record<BrowserDevice, Promise<Engine>>> = {};

/** Throws LincirError 'bad-argument' once a session was made, since ONNX Runtime reads these but once. */
export function configureRuntime(chosen: RuntimeChoices): void {
  if (Object.keys(engines).length > 0) {
    throw new LincirError('bad-argument', {
      subject: 'configureRuntime()',
      expected: 'to be called before the first session',
      found: 'one that was made earlier',
      todo: 'call it first, in each worker that computes',
    });
  }
  const { threads } = chosen;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new LincirError('bad-argument', {
      subject: option<RuntimeChoices>('threads'),
      expected: 'a whole number from 1 on',
      found: `${threads}`,
    });
  }
  choices = chosen;
}

/**
 * How many threads make sense here, and are allowed: one, unless the page is isolated (`crossOriginIsolated`). Its server
 * isolates it by the headers `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`.
 */
export function mostThreads(): number {
  // Some browsers isolate pages, and let them share no memory all the same, as WebKitGTK does.
  if (globalThis.crossOriginIsolated !== true || typeof SharedArrayBuffer === 'undefined') return 1;
  const logical = globalThis.navigator?.hardwareConcurrency ?? 1; // two of them often share a core
  return Math.min(logical, Math.max(4, Math.ceil(logical / 2)), usefulThreads);
}

/** The engine of a device. The first session decides about its threads. */
export async function loadEngine(device: BrowserDevice, threads = choices.threads): Promise<Engine> {
  engines[device] ??= load(device, Math.min(threads ?? mostThreads(), mostThreads()));
  try {
    return await engines[device];
  } catch (cause) {
    delete engines[device]; // it may be there the next time
    throw new LincirError('network', {
      subject: "ONNX Runtime's script",
      expected: 'to load',
      found: cause instanceof Error ? cause.message : String(cause),
      todo: 'check the connection, and that all files of this page are on its server',
      cause,
    });
  }
}

async function load(device: BrowserDevice, threads: number): Promise<Engine> {
  takeWhatMemoryThereIs();
  const ort: typeof Ort = await (device === 'webgpu'
    ? import('onnxruntime-web/webgpu')
    : import('onnxruntime-web/wasm'));
  ort.env.logLevel = 'fatal'; // its failures are exceptions; a library must not print its other messages
  ort.env.wasm.numThreads = threads > 1 && (await isInOneFile()) ? 1 : threads;
  const file = choices.wasm?.[device];
  if (file instanceof URL || typeof file === 'string') {
    ort.env.wasm.wasmPaths = { wasm: new URL(file, globalThis.location?.href) };
  } else if (file) {
    ort.env.wasm.wasmBinary = file;
  }
  let last: Promise<unknown> = Promise.resolve();
  return {
    ort,
    inTurn(task) {
      const result = last.then(task);
      last = result.catch(() => {});
      return result;
    },
  };
}

/** Whether a bundler put ONNX Runtime into the page's own script. Its threads load its script, and would wait for ever. */
async function isInOneFile(): Promise<boolean> {
  const { address } = await import('./apart.ts');
  if (address !== import.meta.url) return false;
  warn(
    "one thread computes, as the bundler made one file of all; let it split the code (in Vite: worker: { format: 'es' })",
  );
  return true;
}
