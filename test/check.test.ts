/** `lincir check`: what it says of a machine, what it proves, and how it ends where a device is missing. */

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lincir } from './command-line.ts';

const folder = tmpdir();
const model = join(import.meta.dirname, 'fixtures/tiny-clip');

/** The parts of the JSON that a test looks at. */
interface Checked {
  readonly machine: { readonly devices: object; readonly memoryBytes: number };
  readonly proofs: readonly { readonly what: string; readonly error: number; readonly bound: number }[];
  readonly speed: { readonly gflops: number };
}

async function checked(...options: string[]): Promise<Checked> {
  const { stdout, stderr, code } = await lincir(['check', '--json', '--model', model, ...options], {
    folder,
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test('a CPU is described, and computes what one thread of it computes', async () => {
  const { machine, proofs, speed } = await checked('--threads', '2');
  assert.ok('cpu' in machine.devices && machine.memoryBytes > 2 ** 28 && speed.gflops > 0.1);
  assert.equal(proofs.length, 5);
  for (const { what, error, bound } of proofs) assert.ok(error <= bound, what);
});

const skip = process.env.LINCIR_TEST_WEBGPU === '1' ? false : 'see webgpu.test.ts';
test('WebGPU computes the same, but not to the bit', { skip }, async () => {
  const { proofs } = await checked('--device', 'webgpu');
  assert.ok(proofs.every(({ error, bound }) => error <= bound));
  assert.ok(proofs.some(({ error }) => error > 0));
});

test('without CUDA, it says what there is and ends with what to do', {
  skip: process.platform === 'linux' && process.arch === 'x64' ? false : 'CUDA is for Linux x64 alone',
}, async () => {
  const environment = { LINCIR_CUDA: join(folder, 'no-cuda') };
  const { stdout, stderr, code } = await lincir(['check', '--device', 'cuda'], { folder, environment });
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^lincir .*ONNX Runtime.*\nprocessor .*\nmemory .*[\s\S]*\nCUDA +no provider in .*no-cuda\n/,
  );
  assert.match(stderr, /^lincir: device 'cuda': expected .*, found none; run `pip install .*`.*\n$/);
});
