/** Tests of reading and writing files, and of how their failures are told. */

import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { LincirError } from './errors.ts';
import { readingFile, writeFileAtomically } from './files.ts';

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
    assert.equal(file.path, path);
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

test('what cannot be read is named', async () => {
  const read = (path: string) => readingFile(path, (file) => file.read(0, 0));
  await assert.rejects(read(join(folder, 'missing')), failure('not-found', 'missing', 'check the path'));
  await assert.rejects(read(folder), failure('bad-file', folder, 'a folder'));
});

test('a file is written in full', async () => {
  const path = join(folder, 'written');
  await writeFile(path, 'old');
  await writeFileAtomically(path, async (file) => {
    await file.writeFile('new ');
    await file.writeFile('text');
    assert.equal(await readFile(path, 'utf8'), 'old');
  });
  assert.equal(await readFile(path, 'utf8'), 'new text');
  assert.deepEqual(await remains(folder), []);
});

test('a write that fails leaves the old file and nothing else', async () => {
  const path = join(folder, 'kept');
  await writeFile(path, 'old');
  const failing = writeFileAtomically(path, async (file) => {
    await file.writeFile('half of ');
    throw new RangeError('mine');
  });
  await assert.rejects(failing, new RangeError('mine'));
  assert.equal(await readFile(path, 'utf8'), 'old');
  assert.deepEqual(await remains(folder), []);
});

test('the system refusing to write is told with the path', async (t) => {
  const nothing = async () => {};
  const missing = join(folder, 'no', 'such', 'file');
  await assert.rejects(writeFileAtomically(missing, nothing), failure('io', missing, 'create the folder'));
  await assert.rejects(writeFileAtomically(folder, nothing), failure('io', folder));

  const failing = (code: string) =>
    writeFileAtomically(join(folder, 'new'), async () => {
      throw Object.assign(new Error(code), { code, syscall: 'write' });
    });
  await assert.rejects(failing('ENOSPC'), failure('io', 'new: ', 'full disk', 'free some space'));
  await assert.rejects(failing('EROFS'), failure('io', 'new: ', 'read-only', 'choose another place'));
  await assert.rejects(failing('EACCES'), failure('io', 'new: ', 'denies access', 'permissions'));
  await assert.rejects(failing('EIO'), failure('io', 'new: ', 'EIO'));

  if (process.platform === 'win32' || process.getuid?.() === 0) {
    t.diagnostic('no folder is closed to this user');
    return;
  }
  const closed = join(folder, 'closed');
  await mkdir(closed);
  await chmod(closed, 0o500);
  await assert.rejects(writeFileAtomically(join(closed, 'file'), nothing), failure('io', 'denies access'));
});

async function remains(path: string): Promise<string[]> {
  return (await readdir(path)).filter((name) => name.endsWith('.tmp'));
}
