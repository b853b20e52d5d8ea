/** ONNX Runtime in WebAssembly as `#runtime`, as a browser would have it. */

import * as ort from 'onnxruntime-web/wasm';
import type { Runtime } from '../../src/onnx/index.ts';

/** Put there by whoever runs this: the module that onnxruntime-web would fetch. */
declare const wasmBinary: ArrayBuffer;

ort.env.wasm.wasmBinary = wasmBinary;
ort.env.wasm.numThreads = 1; // more would take workers

export const runtime: Runtime = {
  platform: 'WebAssembly',
  needs: {},
  devices: () => ['cpu'],
  open: async ({ bytes, weights }) => {
    const externalData = Array.from(weights, ([path, data]) => ({ path, data }));
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'], externalData });
    return {
      run: async (feeds, into) => {
        const tensors = Object.entries(feeds).map(([name, { shape, data }]) => {
          const type = data instanceof BigInt64Array ? 'int64' : 'float32';
          return [name, new ort.Tensor(type, data, shape)] as const;
        });
        const results = Object.entries(await session.run(Object.fromEntries(tensors)));
        for (const [name, { data }] of results) into[name]?.data.set(data as Float32Array);
        return Object.fromEntries(
          results.map(([name, { dims, data }]) => [name, { shape: dims, data: data as Float32Array }]),
        );
      },
      dispose: () => session.release(),
    };
  },
};
