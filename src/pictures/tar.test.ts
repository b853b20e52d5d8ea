/** Where the files of archives lie, in every form of names, and what is refused. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Header, Pax } from 'tar';
import { memoryFile } from '../../test/fuzz/memory-file.ts';
import { LincirError } from '../core/index.ts';
import { tarMembers } from './tar.ts';

type Type = NonNullable<Header['type']>;

/** A header, and the data up to a whole block. */
function entry(path: string, data: Uint8Array | string = '', type: Type = 'File', mode = 0o644): Buffer {
  const bytes = Buffer.from(data);
  const block = Buffer.alloc(512);
  new Header({ path, size: bytes.length, type, mode, mtime: new Date(0) }).encode(block);
  return Buffer.concat([block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

const pax = (fields: ConstructorParameters<typeof Pax>[0], global = false) =>
  new Pax({ mtime: new Date(0), ...fields }, global).encode();
const longName = (name: string) => entry('././@LongLink', `${name}\0`, 'NextFileHasLongPath');
const end = Buffer.alloc(1024);

async function members(bytes: Uint8Array) {
  const found = await Array.fromAsync(tarMembers(memoryFile(bytes, 'shard.tar')));
  return found.map(({ name, size, offset }) => [
    name,
    Buffer.from(bytes.subarray(offset, offset + size)).toString(),
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

test('regular files come in order, and nothing else', async () => {
  const archive = Buffer.concat([
    entry('./', '', 'Directory'),
    entry('./000.jpg', 'a picture'),
    entry('./000.txt', ''),
    entry('link', '', 'SymbolicLink'),
    entry('folder/', '', 'File'),
    entry('old', 'x'.repeat(512), 'OldFile'),
    entry('vendor', 'skipped', 'TapeVolumeHeader'),
    entry('ütf 🐈.jpg', 'y'.repeat(513)),
  ]);
  const expected = [
    ['./000.jpg', 'a picture'],
    ['./000.txt', ''],
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

test('a name that the library cannot read is refused, not replaced by the short one', async () => {
  await refuses(
    Buffer.concat([pax({ path: 'a\nb' }), entry('a', 'b')]),
    /byte 0: expected a name without line ends/,
  );
});

test('sparse files are refused, in both of their forms', async () => {
  await refuses(entry('a', 'b', 'SparseFile'), /byte 0: .*found a sparse file; pack it without --sparse/);
  const record = '22 GNU.sparse.major=1\n';
  assert.equal(record.length, 22);
  await refuses(Buffer.concat([entry('x', record, 'ExtendedHeader'), entry('a', 'b')]), /sparse/);
});

test('names that are not UTF-8 are refused, but not the sign that stands for such', async () => {
  const latin1 = (block: Buffer) => block.write('caf\xe9\0', 0, 'latin1');
  await refuses(edited(entry('cafe', 'x'), latin1), /byte 0: expected a name in UTF-8/);
  const name = Buffer.from('caf\xe9\0', 'latin1');
  await refuses(
    Buffer.concat([entry('././@LongLink', name, 'NextFileHasLongPath'), entry('a', 'x')]),
    /byte 1024: expected a name in UTF-8/,
  );
  assert.deepEqual(await members(Buffer.concat([entry('\uFFFD.jpg'), longName('\uFFFD'), entry('a')])), [
    ['\uFFFD.jpg', ''],
    ['\uFFFD', ''],
  ]);
});
