/** CUDA's libraries: finds them, says which are missing, and puts them where ONNX Runtime looks. Linux x64 alone has CUDA. */

import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode, LincirError } from '../core/index.ts';
import { cacheFolder } from '../files/index.ts';
import { canLoad } from './shared-library.ts';

export interface CudaLibraries {
  /** ONNX Runtime's CUDA provider; undefined: there is none. */
  readonly provider: string | undefined;
  /** Libraries of CUDA and of the driver that the provider needs and that the system can load. */
  readonly found: readonly string[];
  readonly missing: readonly string[];
}

/** ONNX Runtime looks for these beside its own library, and nowhere else. */
const providers = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'] as const;
const driver = 'libcuda.so.1';
/** The oldest driver for each version of CUDA. */
const oldestDrivers: Readonly<Record<string, number>> = { '12': 525, '13': 580 };
/** The names of what the provider needs stand at the beginning of its file. */
const namesWithin = 2 ** 17;

/** Where lincir looks for CUDA's libraries: `LINCIR_CUDA`, or the folder `cuda` in the cache. */
export function cudaFolder(variables: Readonly<Record<string, string | undefined>> = process.env): string {
  return variables.LINCIR_CUDA || join(cacheFolder(variables), 'cuda');
}

/** Finds the libraries, and loads those that there are. */
export function cudaLibraries(folder = cudaFolder(), beside = runtimeFolder()): CudaLibraries {
  const provider = [beside, providerFolder(folder)]
    .map((place) => join(place, providers[1]))
    .find((file) => existsSync(file));
  if (provider === undefined) return { provider, found: [], missing: [] };
  const needed = neededBy(provider);
  const missing = needed.filter((name) => !isLoaded(name, folder));
  return { provider, found: needed.filter((name) => !missing.includes(name)), missing };
}

/**
 * Makes CUDA's libraries ready for ONNX Runtime.
 * @param version of ONNX Runtime
 * @param beside the folder of its library
 * @throws LincirError 'device' naming what is missing, and how to get it
 */
export function prepareCuda(version: string, folder = cudaFolder(), beside = runtimeFolder()): void {
  const { provider, found, missing } = cudaLibraries(folder, beside);
  const install = `run \`pip install --upgrade --target ${inShell(folder)} --only-binary=:all: --python-version 3.12 'onnxruntime-gpu[cuda,cudnn]==${version}'\` (2.5 GB)`;
  const wanted = `the CUDA provider of ONNX Runtime ${version} in ${folder}`;
  if (provider === undefined) throw refusal(wanted, 'none', install);
  const isThere = provider.startsWith(beside);
  const other = isThere ? version : installedVersion(folder);
  if (other !== version) throw refusal(wanted, `that of ${other}`, install);

  const getDriver = driverAdvice(/libcudart\.so\.(\d+)/.exec([...found, ...missing].join())?.[1] ?? '13');
  const libraries = missing.filter((name) => name !== driver);
  if (libraries.length > 0) {
    const todo = libraries.length < missing.length ? `${install}, then ${getDriver}` : install;
    throw refusal('the libraries that its provider needs', `no ${missing.join(', ')}`, todo);
  }
  if (missing.length > 0) throw refusal("NVIDIA's driver", `no ${driver}`, getDriver);
  if (isThere) return;
  for (const name of providers) link(join(providerFolder(folder), name), beside);
}

/** The folder of ONNX Runtime's own library, which is loaded by now. */
function runtimeFolder(): string {
  const [, folder] = /(\/.*)\/libonnxruntime\.so/.exec(readFileSync('/proc/self/maps', 'utf8')) ?? [];
  return folder ?? '/';
}

/** Where the wheel of onnxruntime-gpu has its libraries. */
function providerFolder(folder: string): string {
  return join(folder, 'onnxruntime/capi');
}

function installedVersion(folder: string): string {
  const names = readdirSync(folder).map((name) => /^onnxruntime_gpu-(.+)\.dist-info$/.exec(name)?.[1]);
  return names.find((name) => name !== undefined) ?? 'an unknown version';
}

/** The names of CUDA's and the driver's libraries that a provider needs, those that it loads later included. */
function neededBy(provider: string): string[] {
  const head = Buffer.alloc(namesWithin);
  const file = openSync(provider, 'r');
  readSync(file, head);
  closeSync(file);
  const names = new Set(head.toString('latin1').match(/(?<=\0)libcu\w+\.so\.\d+(?=\0)/g));
  return [...names, 'libcudnn.so.9'].toSorted((a, b) => Number(a === driver) - Number(b === driver));
}

/** Loads a library from the folder that NVIDIA's wheels have it in, or else as the system finds it. */
function isLoaded(name: string, folder: string): boolean {
  const wheels = join(folder, 'nvidia');
  const places = existsSync(wheels)
    ? readdirSync(wheels).map((wheel) => join(wheels, wheel, 'lib', name))
    : [];
  return [...places.filter((place) => existsSync(place)), name].some(canLoad);
}

function link(target: string, folder: string): void {
  const path = join(folder, basename(target));
  if (existsSync(path)) return;
  try {
    rmSync(path, { force: true }); // a link that leads nowhere any more
    symlinkSync(target, path);
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST') return; // another process was faster
    const command = `ln -s ${inShell(dirname(target))}/*_providers_*.so ${inShell(folder)}`;
    throw refusal(
      `a link to its provider in ${folder}`,
      errorCode(cause),
      `let someone who may write there run \`${command}\``,
      cause,
    );
  }
}

function driverAdvice(cuda: string): string {
  return `install NVIDIA's driver, ${oldestDrivers[cuda]} or newer, until \`nvidia-smi\` lists your GPU; a container gets it by \`docker run --gpus all\``;
}

function inShell(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function refusal(expected: string, found: string, todo: string, cause?: unknown): LincirError {
  return new LincirError('device', { subject: "device 'cuda'", expected, found, todo, cause });
}
