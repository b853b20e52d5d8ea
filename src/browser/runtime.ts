/** ONNX Runtime for browsers: WebAssembly, and WebGPU. `#runtime` names this file there. */

import * as ort from 'onnxruntime-web/webgpu';
import { LincirError } from '../core/index.ts';
import type { RunTensor, Runtime } from '../onnx/index.ts';

ort.env.logLevel = 'fatal';

/** Whether ONNX Runtime can start threads: pages must be isolated for that, by two headers of their server. */
export const hasThreads: boolean = globalThis.crossOriginIsolated === true;

export const runtime: Runtime = {
  platform: 'this browser',
  needs: { webgpu: 'WebGPU needs a browser that has it, and a GPU that the browser uses' },
  devices: () => ('gpu' in navigator ? ['cpu', 'webgpu'] : ['cpu']),
  open: async ({ bytes, folder, weights }, { device, threads }) => {
    if (folder !== undefined) {
      throw new LincirError('bad-argument', {
        subject: folder,
        expected: 'weights in memory',
        found: 'files',
      });
    }
    if (threads !== undefined) ort.env.wasm.numThreads = hasThreads ? threads : 1; // counts for the first session
    const session = await ort.InferenceSession.create(bytes, {
      executionProviders: device === 'webgpu' ? ['webgpu', 'wasm'] : ['wasm'],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
      ...(weights.size > 0 && { externalData: Array.from(weights, ([path, data]) => ({ path, data })) }),
    });
    return {
      run: async (feeds, into) => {
        const given = Object.entries(feeds).map(([name, tensor]) => [name, asTensor(tensor)]);
        const results = await session.run(Object.fromEntries(given));
        return Object.fromEntries(
          Object.entries(results).map(([name, { dims, data }]) => {
            const wanted = into[name];
            wanted?.data.set(data as Float32Array);
            return [name, wanted ?? { shape: dims, data: data as Float32Array }];
          }),
        );
      },
      dispose: () => session.release(),
    };
  },
};

function asTensor({ shape, data }: RunTensor): ort.Tensor {
  return new ort.Tensor(data instanceof BigInt64Array ? 'int64' : 'float32', data, shape);
}
