/** Kernels in WebAssembly against their sources. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { compiledKernel, kernels } from '../scripts/build-kernels.ts';

test('there are kernels', () => assert.ok(kernels.length >= 3));

for (const kernel of kernels) {
  test(`${basename(kernel)} is what its source compiles to`, async () => {
    const made = readFileSync(`${kernel}-kernel.ts`, 'utf8');
    assert.equal(made, await compiledKernel(kernel), `${kernel}.wat has changed: npm run kernel`);
  });
}
