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

test('int8 is held against float32: cosines, neighbours, speed, and what stays float32', async () => {
  const { stdout, stderr, code } = await lincir(['check', '--model', model, '--precision', 'int8'], {
    folder,
  });
  assert.equal(code, 0, stderr);
  const [, worst] = /^cosine +[01]\.\d+ on average, ([01]\.\d+) at worst$/m.exec(stdout) ?? [];
  assert.ok(Number(worst) > 0.99, stdout);
  const [, same] = /^same among 10 nearest +(\d+) %$/m.exec(stdout) ?? [];
  assert.ok(Number(same) >= 80, stdout);
  assert.match(stdout, /^products in float32 +none$/m);
  assert.match(stdout, /^speed +\d+\.\d times that of float32$/m);
  const idle = await lincir(['check', '--images', folder], { folder });
  assert.match(idle.stderr, /--images.*--precision int8 as well/);
});
