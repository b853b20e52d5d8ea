/** Folders that are written: all files at once, or none; and what stands there already. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeFolderAtomically } from './write-folder.ts';

const folder = await mkdtemp(join(tmpdir(), 'lincir-folders-'));
after(() => rm(folder, { recursive: true }));

async function fill(place: string): Promise<void> {
  await mkdir(join(place, 'deep'));
  await writeFile(join(place, 'a.txt'), 'new');
  await writeFile(join(place, 'deep/b.txt'), 'new');
}

const names = async (path: string) => (await readdir(join(folder, path), { recursive: true })).sort();

test('a new folder, in new folders, and an empty one get all files', async () => {
  await mkdir(join(folder, 'empty'));
  for (const path of ['new/er', 'empty']) {
    await writeFolderAtomically(join(folder, path), fill);
    assert.deepEqual(await names(path), ['a.txt', 'deep', 'deep/b.txt']);
  }
  assert.deepEqual(await names('new'), ['er', 'er/a.txt', 'er/deep', 'er/deep/b.txt']);
});

test('in a folder with files, those of the same names are replaced', async () => {
  await mkdir(join(folder, 'old'));
  await writeFile(join(folder, 'old/a.txt'), 'old');
  await writeFile(join(folder, 'old/mine.txt'), 'old');
  await symlink('old', join(folder, 'link'));
  await writeFolderAtomically(join(folder, 'link'), fill);
  assert.deepEqual(await names('old'), ['a.txt', 'deep', 'deep/b.txt', 'mine.txt']);
  assert.equal(await readFile(join(folder, 'old/a.txt'), 'utf8'), 'new');
  assert.equal(await readFile(join(folder, 'old/mine.txt'), 'utf8'), 'old');
});

test('if it fails, nothing changes and nothing is left', async () => {
  await mkdir(join(folder, 'place'));
  await writeFile(join(folder, 'file'), 'mine');
  const before = await names('');
  const failing = writeFolderAtomically(join(folder, 'place'), async (place) => {
    await fill(place);
    throw new Error('no');
  });
  await assert.rejects(failing, /no/);
  await assert.rejects(writeFolderAtomically(join(folder, 'file'), fill), {
    code: 'io',
    message: /a file where a folder should be/,
  });
  assert.deepEqual(await names(''), before);
});
