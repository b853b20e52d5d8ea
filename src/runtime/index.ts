/** ONNX Runtime for Node, with its native devices. `#runtime` names this folder. */

import { tmpdir } from 'node:os';
import * as ort from 'onnxruntime-node';
import type { Device, RunTensor, Runtime } from '../onnx/index.ts';
import { prepareCuda } from './cuda.ts';
import { webgpuNeeds } from './gpus.ts';
import { chooseTf32 } from './tf32.ts';

export { type CudaLibraries, cudaFolder, cudaLibraries } from './cuda.ts';
export { type Gpu, nvidiaGpus, vulkanGpus } from './gpus.ts';

// Its failures are exceptions. A library must not print its other messages.
ort.env.logLevel = 'fatal';

/** Of ONNX Runtime. */
export const version = ort.env.versions.node!;

export const runtime: Runtime = {
  platform: `${process.platform}-${process.arch}`,
  needs: {
    get webgpu() {
      return webgpuNeeds();
    },
    cuda: 'CUDA 13 needs an NVIDIA GPU of the generation Turing or newer, and a driver for it that `nvidia-smi` reports',
  },
  devices: () => ort.listSupportedBackends().map(({ name }) => name),
  open: async (
    { bytes, folder, weights },
    { device, deviceId, precision, threads, prepack = true, profile },
  ) => {
    if (device === 'cuda') {
      chooseTf32(precision === 'tf32'); // before the libraries are loaded
      prepareCuda(version);
    }
    // Vulkan's loader complains on standard error where it is unset, as in containers. Nothing is written there.
    if (device === 'webgpu') process.env.XDG_RUNTIME_DIR ??= tmpdir();
    const session = await ort.InferenceSession.create(bytes, {
      executionProviders: device === 'cpu' ? ['cpu'] : [providerOf(device, deviceId), 'cpu'],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
      ...(weights.size > 0 && { externalData: Array.from(weights, ([path, data]) => ({ path, data })) }),
      extra: {
        ...(device === 'cpu' && precision === 'bfloat16' && bfloat16OnArm),
        session: {
          // Otherwise its threads spin for 30 ms after each run, and slow down whatever comes next.
          force_spinning_stop: '1',
          ...(prepack ? {} : { disable_prepacking: '1' }),
          ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
        },
      },
    });
    return {
      run: async (feeds, into) => {
        const given = Object.entries(feeds).map(([name, tensor]) => [name, asTensor(tensor)]);
        const fetches = session.outputNames.map((name) => [name, into[name] ? asTensor(into[name]) : null]);
        const results = await session.run(Object.fromEntries(given), Object.fromEntries(fetches));
        return Object.fromEntries(
          Object.entries(results).map(([name, { dims, data }]) => {
            return [name, into[name] ?? { shape: dims, data: data as Float32Array }];
          }),
        );
      },
      dispose: async () => {
        session.endProfiling();
        await session.release();
      },
    };
  },
};

/** Its MatMul then rounds to bfloat16, if the processor can. Its Gemm does not, so MatMul must stay MatMul. */
const bfloat16OnArm = {
  mlas: { enable_gemm_fastmath_arm64_bfloat16: '1' },
  optimization: { disable_specified_optimizers: 'MatMulAddFusion' },
};

function providerOf(device: Device, deviceId: number | undefined) {
  return device === 'cuda' && deviceId !== undefined ? { name: device, deviceId } : device;
}

function asTensor({ shape, data }: RunTensor): ort.Tensor {
  return new ort.Tensor(data instanceof BigInt64Array ? 'int64' : 'float32', data, shape);
}
