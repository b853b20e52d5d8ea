/** Tests of writing: whole files or none, what stood there before, links, pipes and devices, and what killed processes left. */

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { LincirError } from '../core/index.ts';
import { asideIn, removeLeftovers } from './asides.ts';
import { makeFolder, writeFileAtomically } from './write-file.ts';

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'lincir-writing-'));
after(() => rm(folder, { recursive: true }));
const isWindows = process.platform === 'win32';
const nothing = async () => {};

/** Whether an error is of the system's refusals, with these words in its message. */
function refusal(...mentions: readonly string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof LincirError && error.code === 'io', String(error));
    for (const mention of mentions) assert.ok(error.message.includes(mention), error.message);
    return true;
  };
}

async function remains(path = folder): Promise<string[]> {
  return (await readdir(path)).filter((name) => name.endsWith('.tmp'));
}

const write = (path: string, content: string) => writeFileAtomically(path, (file) => file.writeFile(content));

test('a file is written in full, or what stood there stays, and nothing else', async () => {
  const path = join(folder, 'file');
  await writeFile(path, 'old');
  await writeFileAtomically(path, async (file) => {
    await file.writeFile('new ');
    await file.writeFile('text');
    assert.equal(await readFile(path, 'utf8'), 'old');
  });
  assert.equal(await readFile(path, 'utf8'), 'new text');
  const failing = writeFileAtomically(path, async (file) => {
    await file.writeFile('half of ');
    throw new RangeError('mine');
  });
  await assert.rejects(failing, new RangeError('mine'));
  assert.equal(await readFile(path, 'utf8'), 'new text');
  assert.deepEqual(await remains(), []);
});

test('the system refusing to write is told with the path', async (t) => {
  const missing = join(folder, 'no', 'such', 'file');
  await assert.rejects(write(missing, ''), refusal(missing, 'create the folder'));
  await assert.rejects(write(folder, ''), refusal(folder));
  await assert.rejects(
    write(join(folder, 'x'.repeat(300)), ''),
    refusal('too long for the file system', 'a shorter one'),
  );
  if (isWindows || process.getuid?.() === 0) return t.diagnostic('no folder is closed to this user');
  const closed = join(folder, 'closed');
  await mkdir(closed);
  await chmod(closed, 0o500);
  await assert.rejects(write(join(closed, 'file'), ''), refusal('denies access'));
});

test('a folder is made with those above it, or the reason told', async () => {
  await makeFolder(join(folder, 'some/more/folders'));
  await makeFolder(join(folder, 'some/more/folders'));
  assert.ok((await stat(join(folder, 'some/more/folders'))).isDirectory());
  await writeFile(join(folder, 'no-folder'), '');
  await assert.rejects(makeFolder(join(folder, 'no-folder')), refusal('a file where a folder should be'));
  await assert.rejects(makeFolder(join(folder, 'no-folder/in/it')), refusal('no-folder: expected'));
  if (process.platform === 'linux')
    await assert.rejects(makeFolder('/proc/self/a/b'), refusal('/proc/self/a'));
});

test('a read-only disk is called one', async (t) => {
  const disk = join(folder, 'disk');
  await mkdir(disk);
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', disk]).catch(() => undefined);
  if (mounted === undefined) return t.skip('needs the right to mount');
  try {
    await assert.rejects(makeFolder(join(disk, 'a/b')), refusal('a read-only file system'));
    await assert.rejects(write(join(disk, 'file'), ''), refusal('a read-only file system'));
    await makeFolder(disk);
  } finally {
    await run('umount', [disk]);
  }
});

test('a file keeps its permissions, and a link leads where it led', { skip: isWindows }, async () => {
  const path = join(folder, 'shared/file');
  await makeFolder(join(folder, 'shared'));
  await write(path, 'old');
  await chmod(path, 0o640);
  await symlink('shared', join(folder, 'alias'));
  await symlink('../shared/file', join(folder, 'alias/link'));
  await symlink(join(folder, 'alias/link'), join(folder, 'link'));
  await write(join(folder, 'link'), 'new');
  assert.equal(await readFile(path, 'utf8'), 'new');
  assert.equal((await stat(path)).mode & 0o777, 0o640);
  assert.equal(await readlink(join(folder, 'link')), join(folder, 'alias/link'));

  await symlink('shared/later', join(folder, 'dangling'));
  await write(join(folder, 'dangling'), 'there now');
  assert.equal(await readFile(join(folder, 'shared/later'), 'utf8'), 'there now');
  assert.ok((await lstat(join(folder, 'dangling'))).isSymbolicLink());
  await symlink('circle', join(folder, 'circle'));
  await assert.rejects(write(join(folder, 'circle'), ''), refusal('links that lead in a circle'));
});

test('a pipe or a device is written into', { skip: isWindows, timeout: 20_000 }, async (t) => {
  const pipe = join(folder, 'pipe');
  await run('mkfifo', [pipe]);
  await assert.rejects(write(pipe, ''), refusal('a pipe that nobody reads', 'start its reader'));
  const reader = spawn('cat', [pipe]);
  const content = 'x'.repeat(300_000);
  // Until the reader has opened it, nobody reads it.
  const writing = async (): Promise<void> => {
    await write(pipe, content).catch(async (error) => {
      refusal('nobody reads')(error);
      await writing();
    });
  };
  await Promise.all([
    writing(),
    text(reader.stdout).then((found) => assert.equal(found.length, content.length)),
  ]);
  assert.ok((await stat(pipe)).isFIFO());

  const device = join(folder, 'null');
  const made = await run('mknod', [device, 'c', '1', '3']).catch(() => undefined);
  if (made === undefined) return t.diagnostic('no right to make devices');
  await write(device, 'gone');
  assert.ok((await stat(device)).isCharacterDevice());
});

/** A process that writes a file and stays in the middle of it. */
async function writerIn(place: string): Promise<ChildProcess> {
  const program = `
    const { writeFileAtomically } = await import(${JSON.stringify(import.meta.resolve('./write-file.ts'))});
    await writeFileAtomically(${JSON.stringify(join(place, 'file'))}, async (file) => {
      await file.writeFile('half');
      process.send('writing');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  return child;
}

test('what a killed process left goes, and what a living one is at stays', async (context) => {
  const place = join(folder, 'busy');
  await mkdir(place);
  const child = await writerIn(place);
  context.after(() => child.kill('SIGKILL'));
  await removeLeftovers(place);
  assert.equal((await remains(place)).length, 1);
  child.kill('SIGKILL');
  await once(child, 'exit');

  const own = await asideIn(place); // looks through the folder
  assert.deepEqual(await remains(place), []);
  await writeFile(own, '');
  await removeLeftovers(place);
  assert.equal((await remains(place)).length, 1);
  await rm(own);
});

test('what may be of another machine goes after a day; other names never do', async () => {
  const place = join(folder, 'other');
  const elsewhere = '.lincir-12-34-0123456789abcdef-01234567.tmp';
  const left = '.lincir-00000000-0000-4000-8000-000000000000.tmp'; // as the first versions named them
  const mine = ['.lincir-notes.tmp', 'lincir-12-34-0123456789abcdef-01234567.tmp', `${left}.txt`, '.tmp'];
  await makeFolder(join(place, left, 'in a lock'));
  for (const name of [elsewhere, ...mine]) await writeFile(join(place, name), '');
  await removeLeftovers(place);
  assert.deepEqual((await readdir(place)).sort(), [elsewhere, ...mine].sort());
  const before = Date.now() / 1000 - 25 * 3600;
  await utimes(join(place, elsewhere), before, before);
  await removeLeftovers(place);
  assert.deepEqual((await readdir(place)).sort(), [...mine].sort());
  await removeLeftovers(join(folder, 'missing'));
  await assert.rejects(writeFileAtomically(join(folder, 'missing/file'), nothing), refusal('missing'));
});
