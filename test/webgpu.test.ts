/** The WebGPU device: every operator, attention of many positions, and the text tower against recorded outputs. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parametersOf, readClipConfig, textInputs, textTower } from '../src/clip/index.ts';
import { openCheckpoint, readingFile, readJsonFile, readSafetensorsHeader } from '../src/core/index.ts';
import {
  gradients,
  input,
  mul,
  multiHeadAttention,
  type RunTensor,
  reduceSum,
  Session,
} from '../src/onnx/index.ts';
import { relativeError } from './array64.ts';
import { expectEngineAgrees } from './graph-checks.ts';
import { operatorCases } from './operator-cases.ts';

// A software driver takes half a minute for this, so it is asked for: with a GPU, or with VK_DRIVER_FILES naming the
// description of a software Vulkan driver. Then a missing adapter is a failure, not a reason to skip.
const skip =
  process.env.LINCIR_TEST_WEBGPU === '1' ? false : 'set LINCIR_TEST_WEBGPU=1 where WebGPU has an adapter';
const tolerance = 1e-3;
const device = 'webgpu';

for (const [operator, builds] of Object.entries(operatorCases)) {
  test(`${operator} on WebGPU agrees with the reference`, { skip }, async () => {
    for (const build of builds) await expectEngineAgrees(build, tolerance, { device });
  });
}

test('attention of as many positions as a tower has', { skip }, async () => {
  for (const positions of [32, 50, 77]) {
    await expectEngineAgrees(
      (x) => {
        const [query, key, value] = [1, 2, 3].map(() => x.real(['n', positions, 16])) as [
          never,
          never,
          never,
        ];
        return multiHeadAttention([query, key, value, x.real([1, 1, positions, positions])], 2, 0.4);
      },
      tolerance,
      { device },
    );
  }
});

test("the text tower's embeddings and gradient are those of transformers", { skip }, async () => {
  const folder = join(import.meta.dirname, 'fixtures/tiny-clip');
  const config = readClipConfig(await readJsonFile(join(folder, 'config.json')), folder).text!;
  const parameter = parametersOf((await openCheckpoint(folder)).tensors);
  const inputs = textInputs(config);
  const embeddings = textTower(inputs, config, parameter);
  const cotangent = input('cotangent', 'float32', ['batch', config.projection]);
  const [gradient] = gradients(reduceSum(mul(embeddings, cotangent), [0, 1]), [inputs.injected]);

  const reference = await readReference(join(folder, 'reference.safetensors'));
  const ids = reference('ids');
  const [rows, positions] = ids.shape as [number, number];
  const ends = Array.from({ length: rows }, (_, row) => {
    const own = Array.from(ids.data.subarray(row * positions, (row + 1) * positions), Number);
    return [row, own.indexOf(Number(config.endOfText))];
  });
  const session = await Session.create({ embeddings, gradient: gradient! }, { device });
  const found = await session.run({
    ids,
    ends: { shape: [rows, 2], data: BigInt64Array.from(ends.flat(), BigInt) },
    placements: reference('placeholder_positions'),
    injected: reference('injected'),
    cotangent: reference('cotangent'),
  });
  await session.dispose();
  for (const [name, recorded] of [
    ['embeddings', 'injected_text_embeds'],
    ['gradient', 'injected_gradient'],
  ] as const) {
    const error = relativeError(found[name]!.data, reference(recorded).data as Float32Array);
    assert.ok(error < tolerance, `${name} are off by ${error}`);
  }
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
    /^device device 'webgpu': expected to accept the graph, found .*adapter.*--device cpu/i,
  );
});

async function readReference(path: string): Promise<(name: string) => RunTensor> {
  return await readingFile(path, async (file) => {
    const { tensors } = await readSafetensorsHeader(file);
    const found = new Map<string, RunTensor>();
    for (const [name, { type, shape, offset, byteLength }] of tensors) {
      const { buffer } = await file.read(offset, byteLength);
      found.set(name, {
        shape,
        data: type === 'int64' ? new BigInt64Array(buffer) : new Float32Array(buffer),
      });
    }
    return (name) => found.get(name)!;
  });
}
