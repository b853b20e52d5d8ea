/** Kernels in WebAssembly against their sources. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiledKernel, kernels } from '../scripts/build-kernels.ts';

test('there are kernels', () => assert.ok(kernels.length >= 2));

for (const name of kernels) {
  test(`${name} is what its source compiles to`, async () => {
    const { kernelBytes } = await import(`../src/${name}-kernel.ts`);
    assert.equal(kernelBytes, await compiledKernel(name), `${name}.wat has changed: npm run kernel`);
  });
}
