/** Tests of reading files, and of how the system's refusals are told. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readlink, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { isPassing, LincirError } from '../core/index.ts';
import { fileSource, folderFiles, openFile, readingFile } from './file-source.ts';
import { asLincirError } from './refusals.ts';

const folder = await mkdtemp(join(tmpdir(), 'lincir-files-'));
after(() => rm(folder, { recursive: true }));

/** Whether an error is a LincirError of this code, whose message names the thing at fault. */
function failure(code: string, ...mentions: readonly string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof LincirError, String(error));
    assert.equal(error.code, code);
    for (const mention of mentions) {
      assert.ok(error.message.includes(mention), `${error.message} does not mention ${mention}`);
    }
    return true;
  };
}

test('a file reads exactly, under its real path', async (t) => {
  const blob = join(folder, 'blob');
  await writeFile(blob, 'abcdef');
  let path = join(folder, 'link');
  try {
    await symlink(blob, path);
  } catch {
    t.diagnostic('no permission to make links here');
    path = blob;
  }
  await readingFile(path, async (file) => {
    assert.equal(file.name, path);
    assert.equal(file.size, 6);
    assert.ok(file.realPath.endsWith('blob'));
    assert.equal(Buffer.from(await file.read(2, 3)).toString(), 'cde');
    assert.equal((await file.read(6, 0)).length, 0);
  });
});

test('a read past the end, or of a file that shrank meanwhile, is refused', async () => {
  const path = join(folder, 'short');
  await writeFile(path, 'abcdef');
  const past = readingFile(path, (file) => file.read(4, 2 ** 50));
  await assert.rejects(past, failure('bad-file', path, '6 bytes'));
  const shrunk = readingFile(path, async (file) => {
    await truncate(path, 3);
    return await file.read(0, 6);
  });
  await assert.rejects(shrunk, failure('bad-file', path, '3 bytes'));
});

/** How often this process has a file open; undefined where the system does not tell. */
async function timesOpen(path: string): Promise<number | undefined> {
  const handles = await readdir('/proc/self/fd').catch(() => undefined);
  const links = handles?.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => ''));
  return links && (await Promise.all(links)).filter((link) => link === path).length;
}

test('a source is read at any time, and is closed when nothing reads it', async (t) => {
  const path = join(folder, 'source');
  await writeFile(path, 'abcdef');
  const source = await fileSource(path);
  if ((await timesOpen(source.realPath)) === undefined) t.diagnostic('this system tells of no open files');
  const read = async (offset: number) => Buffer.from(await source.read(offset, 2)).toString();
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(await Promise.all([0, 2, 4].map(read)), ['ab', 'cd', 'ef']);
    assert.equal(await read(1), 'bc');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await timesOpen(source.realPath)) ?? 0, 0);
  }
  const file = await openFile(path);
  await file.read(0, 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await timesOpen(source.realPath)) ?? 1, 1);
  await Promise.all([file.close(), file.close()]);
  assert.equal((await timesOpen(source.realPath)) ?? 0, 0);
  assert.equal(Buffer.from(await file.read(5, 1)).toString(), 'f');
});

test('a source whose file was written since, or is gone, is refused', async () => {
  const path = join(folder, 'changing');
  await writeFile(path, 'abcdef');
  const source = await fileSource(path);
  await writeFile(path, 'ABCDEF');
  await utimes(path, 1, 1);
  await assert.rejects(source.read(0, 1), failure('bad-file', path, 'was written since'));
  await writeFile(path, 'abc');
  await assert.rejects(source.read(0, 1), failure('bad-file', path, 'was written since'));
  await rm(path);
  await assert.rejects(source.read(0, 1), failure('not-found', path));
});

test('a folder gives its files by name, and their names', async () => {
  const files = folderFiles(folder);
  assert.equal(files.name, folder);
  await writeFile(join(folder, 'config.json'), '{}');
  const config = await files.read('config.json');
  assert.deepEqual([config?.name, config?.size], [join(folder, 'config.json'), 2]);
  assert.equal(await files.read('none.json'), undefined);
  assert.ok((await files.list?.())?.includes('config.json'));
  await assert.rejects(async () => folderFiles(join(folder, 'no')).list?.(), failure('not-found', 'no'));
});

test('what cannot be read is named', async () => {
  const read = (path: string) => readingFile(path, (file) => file.read(0, 0));
  await assert.rejects(read(join(folder, 'missing')), failure('not-found', 'missing', 'check the path'));
  await assert.rejects(read(folder), failure('bad-file', folder, 'a folder'));
});

test('every refusal of the system says what to do, and advice fits the case', () => {
  const told = (code: string, intent: 'read' | 'write'): string => {
    const error = Object.assign(new Error(`${code}: raw`), { code, syscall: 'open' });
    return String(asLincirError(error, 'a/place', intent));
  };
  for (const [code, found, todo] of [
    ['ENOSPC', 'a full disk', 'free some space'],
    ['EDQUOT', 'quota', 'free some space'],
    ['EFBIG', 'larger than the system allows', 'ulimit -f'],
    ['EROFS', 'a read-only file system', 'choose another place'],
    ['EACCES', 'denies access', 'permissions'],
    ['EMFILE', 'too many open files', 'ulimit -n'],
    ['ENFILE', 'too many open files', 'close other programs'],
    ['ENAMETOOLONG', 'too long for the file system', 'a shorter one'],
    ['EIO', 'a failing disk', 'run the command again'],
    ['ESTALE', 'network drive', 'run the command again'],
    ['EPIPE', 'a pipe whose reader has ended', 'keep its reader'],
    ['EUNKNOWN', 'EUNKNOWN: raw', 'choose another place'],
  ] as const) {
    const message = told(code, 'write');
    for (const part of ['a/place: ', found, todo]) assert.ok(message.includes(part), message);
  }
  const wrapped = (code: string) =>
    isPassing(asLincirError(Object.assign(new Error(''), { code, syscall: 'open' }), 'a', 'read'));
  assert.deepEqual(['EMFILE', 'ESTALE', 'EACCES', 'EIO', 'ENOENT'].map(wrapped), [
    true,
    true,
    false,
    false,
    false,
  ]);
  assert.match(told('ENOENT', 'write'), /create the folder if it is missing$/);
  assert.match(told('ENOENT', 'read'), /check the path$/);
});
