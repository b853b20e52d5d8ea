/** Where the files of archives lie, in every form of names, and what is refused. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Pax } from 'tar';
import { entry } from '../../test/archives.ts';
import { memoryFile } from '../../test/fuzz/memory-file.ts';
import { LincirError } from '../core/index.ts';
import { tarMembers } from './tar.ts';

const pax = (fields: ConstructorParameters<typeof Pax>[0], global = false) =>
  new Pax({ mtime: new Date(0), ...fields }, global).encode();
/** A record of an extension header, one byte a character. */
function record(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  const length = rest.length + 2; // of two digits
  return Buffer.from(`${length}${rest}`, 'latin1');
}
const longName = (name: string) => entry('././@LongLink', `${name}\0`, 'NextFileHasLongPath');
const end = Buffer.alloc(1024);

/** Names and data; of links, what they lead to; of what cannot be used, why. */
async function members(bytes: Uint8Array) {
  const found = await Array.fromAsync(tarMembers(memoryFile(bytes, 'shard.tar')));
  return found.map(({ name, size, offset, link, problem }) => [
    name,
    problem ?? link ?? Buffer.from(bytes.subarray(offset, offset + size)).toString(),
  ]);
}

async function refuses(bytes: Uint8Array, message: RegExp) {
  await assert.rejects(members(bytes), (error) => {
    assert.ok(error instanceof LincirError && error.code === 'bad-file', String(error));
    assert.match(error.message, message);
    return true;
  });
}

/** With a checksum that is right again. */
function edited(block: Buffer, edit: (block: Buffer) => void): Buffer {
  const copy = Buffer.from(block);
  edit(copy);
  copy.fill(' ', 148, 156);
  const sum = copy.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return copy;
}

test('regular files and links come in order, and nothing else', async () => {
  const archive = Buffer.concat([
    entry('./', '', 'Directory'),
    entry('./000.jpg', 'an image'),
    entry('./000.txt', ''),
    entry('link', '', 'SymbolicLink'),
    entry('folder/', '', 'File'),
    entry('old', 'x'.repeat(512), 'OldFile'),
    entry('vendor', 'skipped', 'TapeVolumeHeader'),
    entry('ütf 🐈.jpg', 'y'.repeat(513)),
  ]);
  const expected = [
    ['./000.jpg', 'an image'],
    ['./000.txt', ''],
    ['link', { kind: 'symbolic', target: '' }],
    ['old', 'x'.repeat(512)],
    ['ütf 🐈.jpg', 'y'.repeat(513)],
  ];
  assert.deepEqual(await members(Buffer.concat([archive, end])), expected);
  // The marks of the end may be missing, and anything may follow them.
  assert.deepEqual(await members(archive), expected);
  assert.deepEqual(await members(Buffer.concat([archive, end, Buffer.from('rest')])), expected);
  assert.deepEqual(await members(end), []);
});

test('long names of every kind are read, each for one file', async () => {
  const long = `${'folder/'.repeat(30)}ütf.jpg`;
  const prefixed = `${'a'.repeat(90)}/${'b'.repeat(90)}`;
  const archive = Buffer.concat([
    pax({ comment: 'all' }, true),
    pax({ path: long }),
    entry('short', '1'),
    longName(long),
    entry('short', '2'),
    entry('././@LongLink', 'target\0', 'NextFileHasLongLinkpath'),
    entry('short', '3'),
    entry(prefixed, '4'),
    // A whole name and, in the header, a folder that is not to stand before it.
    pax({ path: 'whole' }),
    entry(prefixed, '5'),
    end,
  ]);
  const expected = [
    [long, '1'],
    [long, '2'],
    ['short', '3'],
    [prefixed, '4'],
    ['whole', '5'],
  ];
  assert.deepEqual(await members(archive), expected);
});

test('a size in an extension header counts', async () => {
  const file = edited(entry('a', 'data!'), (block) => block.write('00000000000\0', 124));
  assert.deepEqual(await members(Buffer.concat([pax({ size: 5 }), file, entry('b', '2')])), [
    ['a', 'data!'],
    ['b', '2'],
  ]);
});

test('little but headers is read', async () => {
  const large = Buffer.alloc(1e6);
  const archive = Buffer.concat([
    ...Array.from({ length: 8 }, (_, index) => entry(`${index}.jpg`, large)),
    ...Array.from({ length: 64 }, (_, index) => entry(`${index}.txt`, 'text')),
  ]);
  const file = memoryFile(archive);
  const reads: number[] = [];
  const read = (offset: number, length: number) => {
    reads.push(length);
    return file.read(offset, length);
  };
  assert.equal((await Array.fromAsync(tarMembers({ ...file, read }))).length, 72);
  assert.ok(reads.length <= 12, `${reads}`);
  assert.ok(Math.max(...reads) <= 2 ** 16 && reads.reduce((sum, length) => sum + length) < 3e5, `${reads}`);
});

test('what is no tar, or a packed one, is told', async () => {
  const archive = Buffer.concat([entry('a', 'b'), end]);
  await refuses(gzipSync(archive), /^shard\.tar: byte 0: .*packed with gzip; unpack it with gunzip first$/);
  await refuses(gzipSync(archive).subarray(0, 20), /gunzip/);
  await refuses(Buffer.alloc(2000, 'text '), /byte 0: expected a tar archive, found no header of one/);
  await refuses(Buffer.alloc(0), /expected a tar archive/);
});

test('broken headers are refused with where they are', async () => {
  const first = entry('a', 'b');
  const flipped = Buffer.from(entry('c', 'd'));
  flipped[0]! ^= 1;
  await refuses(Buffer.concat([first, flipped]), /byte 1024: .*checksum is wrong/);
  await refuses(
    Buffer.concat([first, entry('c', 'd').subarray(0, 100)]),
    /byte 1024: .*100 bytes.*cut short/,
  );
  await refuses(Buffer.concat([first, entry('c', 'd'.repeat(600)).subarray(0, 1000)]), /600 bytes of "c"/);
  await refuses(
    edited(first, (block) => block.fill('z', 124, 136)),
    /byte 0: expected a size/,
  );
  await refuses(
    edited(first, (block) => block.fill(0x90, 124, 136)),
    /byte 0/,
  );
  await refuses(
    Buffer.concat([entry('x', 'a'.repeat(2 ** 20 + 1), 'ExtendedHeader'), first]),
    /byte 0: expected at most 1048576 bytes in a header/,
  );
});

test('a file after a header of pax has the name that stands there, whatever is in it', async () => {
  const odd = entry('x', record('path', 'folder/a\nb'), 'ExtendedHeader');
  const empty = entry('x', '8 path=\n', 'ExtendedHeader');
  const archive = Buffer.concat([odd, entry('short', '1'), empty, entry('own', '2')]);
  assert.deepEqual(await members(archive), [
    ['folder/a\nb', '1'],
    ['own', '2'],
  ]);
  for (const records of ['8 path=a\n', '99 path=a\n', 'path=a\n', '9 =abcd\n']) {
    const broken = entry('x', records, 'ExtendedHeader');
    await refuses(Buffer.concat([broken, entry('a', 'b')]), /byte 0: expected a header's records/);
  }
});

test('sparse files alone cannot be used, in all of their forms', async () => {
  const map = Buffer.alloc(512);
  const old = edited(entry('old.png', 'b', 'SparseFile'), (block) => block.writeUInt8(1, 482));
  const named = Buffer.concat([record('GNU.sparse.major', '1'), record('GNU.sparse.name', 'real.png')]);
  const archive = Buffer.concat([
    ...[old.subarray(0, 512), map, old.subarray(512), entry('a.png', '1')],
    ...[entry('x', named, 'ExtendedHeader'), entry('GNUSparseFile.7/real.png', 'b'), entry('c.png', '2')],
  ]);
  const problem = 'expected a file that is stored whole, found a sparse one; pack it without --sparse';
  assert.deepEqual(await members(archive), [
    ['old.png', problem],
    ['a.png', '1'],
    ['real.png', problem],
    ['c.png', '2'],
  ]);
  await refuses(old.subarray(0, 512), /byte 0: expected the map of a sparse file/);
});

test('names that are not UTF-8 are told of, but not the sign that stands for such', async () => {
  const latin1 = (block: Buffer) => block.write('caf\xe9\0', 0, 'latin1');
  const name = Buffer.from('caf\xe9\0', 'latin1');
  const archive = Buffer.concat([
    ...[edited(entry('cafe', 'x'), latin1), entry('././@LongLink', name, 'NextFileHasLongPath'), entry('a')],
    ...[entry('x', record('path', 'caf\xe9/12345.jpg'), 'ExtendedHeader'), entry('b'), entry('c', 'whole')],
  ]);
  const problem = 'expected a name in UTF-8, found other bytes; rename it and pack it again';
  assert.deepEqual(await members(archive), [
    ['caf\uFFFD', problem],
    ['caf\uFFFD', problem],
    ['caf\uFFFD/12345.jpg', problem],
    ['c', 'whole'],
  ]);
  assert.deepEqual(await members(Buffer.concat([entry('\uFFFD.jpg'), longName('\uFFFD'), entry('a')])), [
    ['\uFFFD.jpg', ''],
    ['\uFFFD', ''],
  ]);
});

test('archives that were put together are one, and other bytes after the end are nothing', async () => {
  const first = Buffer.concat([entry('a', '1'), pax({ comment: 'of the first' }, true), end]);
  const both = Buffer.concat([first, Buffer.alloc(20 * 512), entry('b', '2'), end]);
  const expected = [
    ['a', '1'],
    ['b', '2'],
  ];
  assert.deepEqual(await members(both), expected);
  assert.deepEqual(await members(Buffer.concat([both, Buffer.alloc(512, 'rest'), entry('c')])), expected);
  const far = Buffer.concat([first, Buffer.alloc(2 ** 20), entry('b', '2')]);
  assert.deepEqual(await members(far), [['a', '1']]);
});

test("headers are read as Python's tarfile reads them", async () => {
  const large = edited(entry('large', 'data!'), (block) => {
    block.fill(0, 124, 136).writeUInt8(0x80, 124);
    block.writeUInt8(5, 135);
  });
  // Old Sun archives add up bytes with signs.
  const signed = entry('\u00e9', 's');
  const sum = signed.subarray(0, 512).reduce((total, byte, at) => {
    return total + (at >= 148 && at < 156 ? 32 : byte > 127 ? byte - 256 : byte);
  }, 0);
  signed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  // Nothing follows the headers of folders and links, whatever size they tell.
  const sized = (block: Buffer) => block.write('00000001000\0', 124);
  const folder = edited(entry('folder', '', 'Directory'), sized);
  const link = edited(entry('hard', '', 'Link'), (block) => {
    sized(block);
    block.write('large', 157);
  });
  // GNU's headers have times where POSIX's have a folder.
  const gnu = edited(entry('times', 't'), (block) => {
    block.write('ustar  \0', 257);
    block.write('14717171717\0', 345);
  });
  assert.deepEqual(await members(Buffer.concat([large, signed, folder, link, gnu, entry('last', 'l')])), [
    ['large', 'data!'],
    ['\u00e9', 's'],
    ['hard', { kind: 'hard', target: 'large' }],
    ['times', 't'],
    ['last', 'l'],
  ]);
});
