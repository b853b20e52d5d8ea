/** Names in Unicode's forms: what they are compared by, and what the disk has. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasForms, nameKey, pathOnDisk, pathsOnDisk } from './names.ts';

test('equivalent names have one key, and names of one form need no look', () => {
  assert.equal(nameKey('e\u0301'), nameKey('\u00e9'));
  assert.notEqual(nameKey('e'), nameKey('\u00e9'));
  for (const name of ['\u00e9', 'e\u0301', '\uac00', '\u1100\u1161', '\u212b'])
    assert.ok(hasForms(name), name);
  for (const name of ['a.png', '\u732b.jpg', '\u{1f408}']) assert.ok(!hasForms(name), name);
});

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
