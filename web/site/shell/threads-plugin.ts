/** Lets ONNX Runtime's threads load its script alone. */

import type { Plugin } from 'vite';

/**
 * ONNX Runtime's script names Node's `require`, for which bundlers put a stand-in into the worker's own script. Then each
 * thread, which loads ONNX Runtime's, would run that worker, too. In Firefox, learning then waits for ever.
 */
export const runtimeAlone = (): Plugin => ({
  name: 'runtime-alone',
  transform: {
    filter: { id: /[\\/]onnxruntime-web[\\/]/ },
    handler: (code) => ({ code: `var require;${code}`, map: null }),
  },
});
