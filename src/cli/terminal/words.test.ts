/** Words and paths of a line, and their completion. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { completedPath, withoutQuotes, wordsOf } from './words.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-words-'));
  await mkdir(join(folder, 'my photos'));
  for (const name of ['dog.jpg', 'dog 2.jpg', "it's.jpg", '.hidden.jpg', 'my photos/in.jpg']) {
    await writeFile(join(folder, name), '');
  }
});
after(() => rm(folder, { recursive: true }));

test('words are read as a shell reads them', () => {
  assert.deepEqual(wordsOf('a.jpg "b c.jpg" \'d "e".jpg\'  f\\ g.jpg'), [
    'a.jpg',
    'b c.jpg',
    'd "e".jpg',
    'f g.jpg',
  ]);
  assert.deepEqual(wordsOf(''), []);
  assert.equal(withoutQuotes('~/a.jpg'), join(homedir(), 'a.jpg'));
  assert.deepEqual(wordsOf("it\\'s.jpg"), ["it's.jpg"]);
});

test('paths are completed so that they are read back', async () => {
  const completed = async (line: string) => {
    const [found, last] = await completedPath(line);
    assert.ok(line.endsWith(last), line);
    return found.map((path) => line.slice(0, line.length - last.length) + path);
  };
  const readBack = async (line: string) => (await completed(line)).map((whole) => wordsOf(whole).at(-1));
  assert.deepEqual(await readBack(`x.jpg ${folder}/do`), [`${folder}/dog 2.jpg`, `${folder}/dog.jpg`]);
  assert.deepEqual(await readBack(`${folder}/my`), [`${folder}/my photos/`]);
  assert.deepEqual(await readBack(`${folder}/my\\ photos/`), [`${folder}/my photos/in.jpg`]);
  assert.deepEqual(await readBack(`${folder}/it`), [`${folder}/it's.jpg`]);
  assert.deepEqual(await completed(`"${folder}/dog `), [`"${folder}/dog 2.jpg`]);
  assert.equal((await completed(`${folder}/`)).length, 4);
  assert.deepEqual(await completed(`${folder}/nothing`), []);
  assert.deepEqual(await completed(`${folder}/none/x`), []);
});
