/** Which drivers are said to be too old for WebGPU. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oldMesa } from './gpus.ts';

const llvmpipe = { name: 'llvmpipe', driver: 'Mesa 22.3.6 (LLVM 15.0.6)' };
const others = [
  { name: 'NVIDIA H200', driver: '580.65.06' },
  { name: 'AMD Radeon', driver: 'Mesa 25.0.7-2~bpo12+1' },
  { name: 'SwiftShader', driver: '' },
];

test('only if all that Vulkan offers is of an old Mesa, its version is named, with a newer one', () => {
  assert.match(oldMesa([llvmpipe]) ?? '', /lists llvmpipe, but Mesa 22\.3\.6 may be too old.*Mesa 25\.0\.7/);
  assert.equal(oldMesa([]), undefined);
  for (const other of others) {
    assert.equal(oldMesa([other]), undefined, other.name);
    assert.equal(oldMesa([llvmpipe, other]), undefined, other.name);
  }
});
