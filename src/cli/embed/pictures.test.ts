/** Which files paths, folders and patterns mean. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { listImages } from './pictures.ts';

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
  const paths = patterns.map((pattern) => `${folder}/${pattern}`);
  const names = await listImages(paths, { onUnreadable: ({ path }) => assert.fail(path) });
  return names.map((name) => name.slice(folder.length + 1));
}

test('a folder is every image in and under it', async () => {
  assert.deepEqual(await listed(''), ['a.PNG', 'b.jpg', 'more/c.webp', 'more/d (1).jpg', 'more/d [2].jpg']);
});

test('a folder and a pattern are without what systems keep for themselves, and links', async () => {
  const other = `${folder}/other`;
  await mkdir(`${other}/@eaDir/a.jpg`, { recursive: true });
  await mkdir(`${other}/node_modules`);
  const files = [
    'a.jpg',
    'b.jfif',
    'e\u0301.svg',
    '@eaDir/a.jpg/thumb.jpg',
    'node_modules/n.png',
    'c.psd',
    '.h.png',
  ];
  for (const name of files) await writeFile(`${other}/${name}`, '');
  await symlink('.', `${other}/loop`);
  await symlink('a.jpg', `${other}/link.jpg`);
  const leftOut: string[] = [];
  const found = { onUnreadable: () => assert.fail(), onLeftOut: (name: string) => leftOut.push(name) };
  const list = async (pattern: string) =>
    (await listImages([`${folder}/${pattern}`], found)).map((name) => name.slice(other.length + 1));
  assert.deepEqual(await list('other'), ['a.jpg', 'b.jfif', 'e\u0301.svg']);
  assert.deepEqual(leftOut, ['c.psd']);
  assert.deepEqual(await list('other/**/*.{jpg,png}'), ['a.jpg', 'link.jpg']);
  assert.deepEqual(await list('other/loop/*.jpg'), ['loop/a.jpg', 'loop/link.jpg']);
  assert.deepEqual(await list('other/node_modules/*'), ['node_modules/n.png']);
  assert.deepEqual(await list('other/\u00e9.svg'), ['e\u0301.svg']);
  assert.deepEqual(await list('other/\u00e9*'), ['e\u0301.svg']);
  await mkdir(`${other}/\u00fc`);
  await writeFile(`${other}/\u00fc/e\u0301.png`, '');
  assert.deepEqual(await list('other/\u00fc*/\u00e9*'), ['\u00fc/e\u0301.png']);
  await rm(other, { recursive: true });
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

test('every image is listed once, in order', async () => {
  assert.deepEqual(await listed('b.jpg', './b.jpg', '*.jpg', 'a.PNG'), ['a.PNG', 'b.jpg']);
});

test('what matches nothing is named', async () => {
  await assert.rejects(listed('*.jpg', 'nothing/*.gif'), /--images ".*nothing\/\*\.gif".*found none/);
  await assert.rejects(listed('more/empty'), /expected images in the folder, found none/);
});
