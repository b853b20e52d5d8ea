/** Which files paths, folders and patterns mean. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { listPictures } from './pictures.ts';

let folder: string;
before(async () => {
  folder = (await mkdtemp(join(tmpdir(), 'lincir-pictures-'))).replaceAll('\\', '/');
  await mkdir(join(folder, 'more/empty'), { recursive: true });
  for (const name of ['b.jpg', 'a.PNG', 'notes.txt', 'more/c.webp', 'more/d (1).jpg', 'more/d [2].jpg']) {
    await writeFile(join(folder, name), '');
  }
});
after(() => rm(folder, { recursive: true }));

/** The names below the folder. */
async function listed(...patterns: string[]): Promise<string[]> {
  const names = await listPictures(patterns.map((pattern) => `${folder}/${pattern}`));
  return names.map((name) => name.slice(folder.length + 1));
}

test('a folder is every picture in and under it', async () => {
  assert.deepEqual(await listed(''), ['a.PNG', 'b.jpg', 'more/c.webp', 'more/d (1).jpg', 'more/d [2].jpg']);
});

test('a pattern is every file that it matches', async () => {
  assert.deepEqual(await listed('*'), ['a.PNG', 'b.jpg', 'notes.txt']);
  assert.deepEqual(await listed('**/*.{jpg,webp}'), [
    'b.jpg',
    'more/c.webp',
    'more/d (1).jpg',
    'more/d [2].jpg',
  ]);
});

test('a file is itself, whatever its name looks like', async () => {
  assert.deepEqual(await listed('more/d (1).jpg'), ['more/d (1).jpg']);
  assert.deepEqual(await listed('more/d [2].jpg'), ['more/d [2].jpg']);
  assert.deepEqual(await listed('notes.txt'), ['notes.txt']);
});

test('every picture is listed once, in order', async () => {
  assert.deepEqual(await listed('b.jpg', './b.jpg', '*.jpg', 'a.PNG'), ['a.PNG', 'b.jpg']);
});

test('what matches nothing is named', async () => {
  await assert.rejects(listed('*.jpg', 'nothing/*.gif'), /--images ".*nothing\/\*\.gif".*found none/);
  await assert.rejects(listed('more/empty'), /expected pictures in the folder, found none/);
});
