/** The engine where nothing of Node is: text tower, gradient and composition in WebAssembly, as in a browser. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createContext, Script } from 'node:vm';
import { build } from 'esbuild';
import { computed } from './portable/computing.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
/** All that the engine and ONNX Runtime ask of a platform, beside the language itself. */
const web = { Blob, TextDecoder, TextEncoder, URL, atob, crypto, performance, setTimeout };

const given: Record<string, Uint8Array> = { phi: await readFile(join(fixtures, 'phi/lincir.pt')) };
for (const name of ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'model.safetensors']) {
  given[name] = await readFile(join(fixtures, 'tiny-clip', name));
}

test('computes the same without Node', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        export { computed } from './portable/computing.ts';
        export { configureRuntime } from '../src/browser/runtime.ts';`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'engine',
    platform: 'browser', // refuses every import from Node
    conditions: ['browser', 'lincir-source'],
    target: 'es2024',
    logLevel: 'silent',
  });
  const wasm = import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm');
  const wasmBinary = new Uint8Array(await readFile(fileURLToPath(wasm))).buffer;
  const context = createContext({ ...web, wasmBinary, given });
  const run = (code: string): unknown => new Script(code).runInContext(context);

  assert.deepEqual(
    run('[typeof process, typeof Buffer, typeof require].join()'),
    'undefined,undefined,undefined',
  );
  await assert.rejects(run(`import('node:fs')`) as Promise<unknown>);
  run(outputFiles[0]!.text);
  const found = (await run(
    'engine.configureRuntime({ wasm: { cpu: wasmBinary } }), engine.computed(given)',
  )) as Awaited<ReturnType<typeof computed>>;

  const expected = await computed(given);
  assert.equal(found.fingerprint, expected.fingerprint);
  assert.deepEqual(Object.keys(found.values), Object.keys(expected.values));
  for (const [name, values] of Object.entries(expected.values)) {
    const others = found.values[name as keyof typeof found.values];
    assert.equal(others.length, values.length, name);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assert.ok(largest > 0, name);
    const tolerance = name === 'eightBits' ? 0.03 : 1e-5; // another last bit may round to the next of 256 steps
    for (const [at, value] of values.entries()) {
      assert.ok(
        Math.abs(others[at]! - value) < tolerance * largest,
        `${name} ${at}: ${others[at]}, not ${value}`,
      );
    }
  }
});
