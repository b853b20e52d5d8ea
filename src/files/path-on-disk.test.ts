/** Tests of finding the path that the disk has. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathOnDisk, pathsOnDisk } from './path-on-disk.ts';

test('a path comes back as the disk has it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-names-'));
  try {
    const inner = join(folder, 'E\u0301te\u0301');
    await mkdir(inner);
    await writeFile(join(inner, 'e\u0301.png'), '');
    const typed = join(folder, '\u00c9t\u00e9', '\u00e9.png');
    assert.equal(await pathOnDisk(typed), join(inner, 'e\u0301.png'));
    assert.equal(await pathOnDisk(join(inner, 'e\u0301.png')), join(inner, 'e\u0301.png'));
    assert.equal(
      await pathOnDisk(join(folder, '\u00c9t\u00e9', 'none-\u00e9.png')),
      join(inner, 'none-\u00e9.png'),
    );
    assert.equal(await pathOnDisk('nowhere/\u00e9.png'), 'nowhere/\u00e9.png');
    // Characters that are equivalent to one that has no other form of its own; compatible ones are others.
    for (const [typed, written] of ['K\u212a', '\u8c48\uf900', '\u0915\u093c\u0958'].map(splitAtLast)) {
      await writeFile(join(folder, written), '');
      assert.equal(await pathOnDisk(join(folder, typed)), join(folder, written));
    }
    await writeFile(join(folder, '\ufb01'), '');
    assert.equal(await pathOnDisk(join(folder, 'fi')), join(folder, 'fi'));
    // One call remembers what it has seen.
    const onDisk = pathsOnDisk();
    assert.deepEqual(
      await Promise.all([typed, typed].map(onDisk)),
      Array(2).fill(join(inner, 'e\u0301.png')),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

function splitAtLast(both: string): readonly [string, string] {
  return [both.slice(0, -1), both.slice(-1)];
}
