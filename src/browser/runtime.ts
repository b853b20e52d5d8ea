/** ONNX Runtime for browsers: WebAssembly, and WebGPU. `#runtime` names this file there. */

import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { formatBytes, LincirError } from '../core/index.ts';
import type { RunTensor, Runtime, RuntimeSession } from '../onnx/index.ts';
import { type BrowserDevice, type Engine, loadEngine } from './engines.ts';
import { explained } from './failures.ts';
import { expectAdapter, type GpuWatch, watchGpu } from './webgpu.ts';

export { type BrowserDevice, configureRuntime, mostThreads, type RuntimeChoices } from './engines.ts';
export { type WebgpuAdapter, webgpuAdapter, webgpuAvailable } from './webgpu.ts';

export const runtime: Runtime = {
  platform: 'this browser',
  needs: { webgpu: 'WebGPU needs a browser that has it, and a GPU that the browser uses' },
  mostWeights: 2 ** 32, // addresses of WebAssembly have 32 bits
  // Whether there is an adapter can only be asked, so `open` asks, and `webgpuAvailable` does for those who choose.
  devices: () => ('gpu' in (globalThis.navigator ?? {}) ? ['cpu', 'webgpu'] : ['cpu']),
  async open({ bytes, folder, weights }, { device: wanted, threads, prepack = true, precision }) {
    if (folder !== undefined) {
      throw new LincirError('bad-argument', {
        subject: folder,
        expected: 'weights in memory',
        found: 'files',
      });
    }
    const device: BrowserDevice = wanted === 'webgpu' ? 'webgpu' : 'cpu';
    if (device === 'webgpu') await expectAdapter(precision);
    const engine = await loadEngine(device, threads);
    const session = await engine
      .inTurn(() =>
        engine.ort.InferenceSession.create(bytes, {
          executionProviders: device === 'webgpu' ? ['webgpu', 'wasm'] : ['wasm'],
          graphOptimizationLevel: 'all',
          logSeverityLevel: 4,
          externalData: Array.from(weights, ([path, data]) => ({ path, data })),
          ...(!prepack && { extra: { session: { disable_prepacking: '1' } } }),
        }),
      )
      .catch((cause: unknown) => {
        const bytes = Array.from(weights.values()).reduce((sum, { length }) => sum + length, 0);
        throw explained(cause, device, `the tower's weights (${formatBytes(bytes)}) and a batch`);
      });
    const gpu = device === 'webgpu' ? await watchGpu(engine.ort) : undefined;
    return sessionOf(engine, session, device, gpu);
  },
};

function sessionOf(
  engine: Engine,
  session: InferenceSession,
  device: BrowserDevice,
  gpu: GpuWatch | undefined,
): RuntimeSession {
  const asTensor = ({ shape, data }: RunTensor): Tensor =>
    new engine.ort.Tensor(data instanceof BigInt64Array ? 'int64' : 'float32', data, shape);
  return {
    run: (feeds, into) =>
      engine.inTurn(async () => {
        gpu?.expectWell();
        const given = Object.entries(feeds).map(([name, tensor]) => [name, asTensor(tensor)]);
        const results = await session.run(Object.fromEntries(given)).catch((cause: unknown) => {
          gpu?.expectWell(cause);
          throw explained(cause, device);
        });
        gpu?.expectWell(); // its failures are events: what came back may be nothing but zeros
        return Object.fromEntries(
          Object.entries(results).map(([name, { dims, data }]) => {
            const wanted = into[name];
            wanted?.data.set(data as Float32Array);
            return [name, wanted ?? { shape: dims, data: data as Float32Array }];
          }),
        );
      }),
    dispose: () => engine.inTurn(() => session.release()),
  };
}
