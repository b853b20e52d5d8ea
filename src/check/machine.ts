/** What this machine has: its processor, its memory, its GPUs, and the devices and libraries of ONNX Runtime. */

import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { type Device, devicePrecisions, devices, type Precision } from '../onnx/index.ts';
import {
  type CudaLibraries,
  cudaLibraries,
  type Gpu,
  nvidiaGpus,
  runtime,
  version,
  vulkanGpus,
} from '../runtime/index.ts';

/** A device as this build of ONNX Runtime has it. */
export interface Offer {
  /** Those that the build has. Whether a GPU computes in each of them, only trying tells. */
  readonly precisions: readonly Precision[];
  /** Whether the machine has what the device needs; 'untried' if only computing tells. */
  readonly state: 'usable' | 'untried' | 'missing';
  /** What is missing. */
  readonly lacks?: string;
}

export interface Machine {
  readonly platform: string;
  readonly node: string;
  readonly onnxRuntime: string;
  readonly processor: {
    readonly name: string;
    readonly cores: number;
    /** Of those that matter here; undefined where the system does not tell. */
    readonly instructions: readonly string[] | undefined;
  };
  readonly memoryBytes: number;
  /** What this build of ONNX Runtime has, and what of it this machine can use. */
  readonly devices: Readonly<Partial<Record<Device, Offer>>>;
  /** NVIDIA's GPUs, as their driver's tool reports them. */
  readonly nvidia: readonly Gpu[];
  /** Vulkan's GPUs; undefined where its tool is not installed. */
  readonly vulkan: readonly Gpu[] | undefined;
  /** Undefined where ONNX Runtime has no CUDA. */
  readonly cuda: CudaLibraries | undefined;
}

/** Linux's names of instruction sets, and those that people know. */
const instructionSets: Readonly<Record<string, string>> = {
  avx2: 'AVX2',
  avx512f: 'AVX-512',
  avx_vnni: 'AVX-VNNI',
  avx512_vnni: 'AVX-512 VNNI',
  avx512_bf16: 'AVX-512 bfloat16',
  avx512_fp16: 'AVX-512 float16',
  amx_int8: 'AMX int8',
  amx_bf16: 'AMX bfloat16',
  asimddp: 'dot product',
  i8mm: 'int8 products',
  bf16: 'bfloat16 products',
  sve: 'SVE',
};

export function describeMachine(): Machine {
  const offered = runtime.devices();
  const here = devices.filter((device) => offered.includes(device));
  const nvidia = nvidiaGpus();
  const vulkan = vulkanGpus();
  const cuda = here.includes('cuda') ? cudaLibraries() : undefined;
  const lacks: Readonly<Record<Device, string | undefined>> = {
    cpu: undefined,
    webgpu: process.platform === 'linux' && vulkan?.length === 0 ? 'no GPU that Vulkan lists' : undefined,
    cuda: cuda && cudaLack(cuda, nvidia),
  };
  const offer = (device: Device): Offer => ({
    precisions: devicePrecisions(device),
    ...(lacks[device] === undefined
      ? { state: device === 'cpu' ? 'usable' : 'untried' }
      : { state: 'missing', lacks: lacks[device] }),
  });
  return {
    platform: runtime.platform,
    node: process.versions.node,
    onnxRuntime: version,
    processor: {
      name: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      instructions: instructions(),
    },
    memoryBytes: totalmem(),
    devices: Object.fromEntries(here.map((device) => [device, offer(device)])),
    nvidia,
    vulkan,
    cuda,
  };
}

function cudaLack({ provider, missing }: CudaLibraries, nvidia: readonly Gpu[]): string | undefined {
  if (provider === undefined) return 'no CUDA provider of ONNX Runtime';
  if (missing.length > 0) return `no ${missing.join(', ')}`;
  return nvidia.length === 0 ? 'no GPU that nvidia-smi lists' : undefined;
}

function instructions(): string[] | undefined {
  try {
    const [, flags = ''] = /^(?:flags|Features)\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
    const known = new Set(flags.split(' '));
    return Object.entries(instructionSets).flatMap(([flag, name]) => (known.has(flag) ? [name] : []));
  } catch {
    return undefined;
  }
}
