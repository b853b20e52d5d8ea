/** The optimizer on several threads: the same to the bit as on one, and its arrays go through graphs and into files. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chunkLength, normals, readOwnTensor, readSafetensorsHeader } from '../core/index.ts';
import { readingFile, writeSafetensors } from '../files/index.ts';
import { input, mul, Session } from '../onnx/index.ts';
import { adamW, clipByNorm, updateAverage } from '../phi/index.ts';
import { OptimizerMemory } from './optimizer-memory.ts';

const count = 3 * chunkLength + 5;
const options = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

/** Some steps on so many threads; all arrays after them. */
async function steps(threads: number) {
  const memory = await OptimizerMemory.create(count, 5, threads);
  const [parameters, gradient, first, second, average] = Array.from({ length: 5 }, () => memory.array(count));
  const norms: number[] = [];
  for (let step = 1; step <= 3; step += 1) {
    gradient!.set(normals({ seed: 1, purpose: 'noise', moment: step, row: 0 }, count));
    norms.push(clipByNorm(gradient!, 500));
    adamW(parameters!, gradient!, { first: first!, second: second! }, step, options);
    updateAverage(average!, parameters!, step);
  }
  return { memory, norms, arrays: [parameters!, first!, second!, average!] };
}

test('threads change nothing', async (context) => {
  const [one, three] = [await steps(1), await steps(3)];
  try {
    if (three.memory.threads === 1) return context.skip('graphs of this Node cannot read shared memory');
    assert.deepEqual([one.memory.threads, three.memory.threads], [1, 3]);
    assert.deepEqual(three.norms, one.norms);
    for (const [index, array] of one.arrays.entries()) assert.deepEqual(three.arrays[index], array);

    const shape = [count];
    const x = input('x', 'float32', shape);
    const session = await Session.create({ squares: mul(x, x) });
    const [parameters, squares] = three.arrays as [Float32Array, Float32Array];
    const results = await session.run(
      { x: { shape, data: parameters } },
      { squares: { shape, data: squares } },
    );
    await session.dispose();
    assert.equal(results.squares!.data, squares);
    assert.deepEqual(
      squares,
      parameters.map((value) => value * value),
    );

    const folder = await mkdtemp(join(tmpdir(), 'lincir-memory-'));
    context.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'parameters.safetensors');
    await writeSafetensors(file, [{ name: 'parameters', type: 'float32', shape, data: parameters }]);
    const { tensors } = await readingFile(file, readSafetensorsHeader);
    assert.deepEqual((await readOwnTensor(file, tensors, 'parameters', shape)).data, parameters);
  } finally {
    for (const { memory } of [one, three]) await memory.close();
  }
});
