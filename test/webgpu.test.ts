/** The WebGPU device: every operator, attention of many positions, towers and training steps against recorded outputs. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { matmul, multiHeadAttention } from '../src/onnx/operators.ts';
import { expectEngineAgrees } from './graph-checks.ts';
import { operatorCases } from './operator-cases.ts';
import { towerErrors } from './reference.ts';
import { trainingErrors } from './training-reference.ts';

// A software driver takes half a minute for this, so it is asked for: with a GPU, or with VK_DRIVER_FILES naming the
// description of a software Vulkan driver. Then a missing adapter is a failure, not a reason to skip.
const skip =
  process.env.LINCIR_TEST_WEBGPU === '1' ? false : 'set LINCIR_TEST_WEBGPU=1 where WebGPU has an adapter';
const tolerance = 1e-3;
const device = 'webgpu';
const tinyClip = join(import.meta.dirname, 'fixtures/tiny-clip');

for (const [operator, builds] of Object.entries(operatorCases)) {
  test(`${operator} on WebGPU agrees with the reference`, { skip }, async () => {
    for (const build of builds) await expectEngineAgrees(build, tolerance, { device });
  });
}

test('attention of as many positions as a tower has', { skip }, async () => {
  for (const positions of [32, 50, 77]) {
    await expectEngineAgrees(
      (x) => {
        const one = () => x.real(['n', positions, 16]);
        return multiHeadAttention([one(), one(), one(), x.real([1, 1, positions, positions])], 2, 0.4);
      },
      tolerance,
      { device },
    );
  }
});

test('the towers are those of transformers', { skip }, async () => {
  for (const [what, error] of Object.entries(await towerErrors(tinyClip, 1024, { device }))) {
    assert.ok(error < tolerance, `${what} is off by ${error}`);
  }
});

test('training steps are those of PyTorch', { skip }, async () => {
  const reference = join(import.meta.dirname, 'fixtures/training-step/reference.safetensors');
  const { loss, gradient, weights } = await trainingErrors(tinyClip, reference, 1024, device);
  assert.ok(
    loss < tolerance && gradient < tolerance && weights < tolerance,
    `${loss} ${gradient} ${weights}`,
  );
});

test('float16 is computed, or refused with what to do instead', { skip }, async () => {
  const half = { device, precision: 'float16' } as const;
  await expectEngineAgrees((x) => matmul(x.real([3, 4]), x.real([4, 5])), 1e-2, half).catch((error) => {
    assert.equal(error.code, 'device', error);
    assert.match(error.message, /does not compute in float16: use `precision: 'float32'`$/);
  });
});

// Only on Linux is there a way to hide a GPU that may be there.
const elsewhere = process.platform === 'linux' ? false : 'hides the GPU by a setting of Vulkan on Linux';
test('without an adapter, the device is refused and nothing falls back to the CPU', {
  skip: elsewhere,
}, () => {
  const program = `
    import { constant, Session } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../src/onnx/index.ts')))};
    await Session.create({ y: constant(1) }, { device: 'webgpu' }).catch((error) => console.log(error.code, error.message));`;
  const hidden = { ...process.env, VK_DRIVER_FILES: '/nonexistent', VK_ICD_FILENAMES: '/nonexistent' };
  const options = { env: hidden, encoding: 'utf8' } as const;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], options);
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^device device 'webgpu': expected to accept the graph, found .*adapter.*`device: 'cpu'`/i,
  );
});
