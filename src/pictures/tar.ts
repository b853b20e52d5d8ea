/** Tar archives, such as WebDataset's shards: where each file's data lie, without unpacking or reading them. */
// The formats: POSIX.1-2024 pax, https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, and GNU tar's
// long names, https://www.gnu.org/software/tar/manual/html_node/Standard.html

import { isUtf8 } from 'node:buffer';
import { Header, Pax } from 'tar';
import { LincirError, quoted, type RandomAccess } from '../core/index.ts';

/** A regular file in an archive. */
export interface TarMember {
  /** As the archive has it: relative or not, in any folder. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Where its data begin in the archive, in bytes. */
  readonly offset: number;
}

/** What extension headers say of the file after them. */
interface Extension {
  readonly pax: Pax | undefined;
  /** The bytes that its name came from. */
  readonly bytes: Buffer | undefined;
}

const blockSize = 512;
/** No name is as long; a hostile one is not to fill the memory. In bytes. */
const extensionLimit = 2 ** 20;
/** What one read takes among small members, and what it takes beyond a large one. */
const windowSize = 2 ** 16;
const windowSizeAfterJump = 2 ** 12;

const files: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);
const extensions: ReadonlySet<string> = new Set([
  'ExtendedHeader',
  'OldExtendedHeader',
  'GlobalExtendedHeader',
  'NextFileHasLongPath',
  'OldGnuLongPath',
  'NextFileHasLongLinkpath',
]);

/** How the packers' files begin, and what unpacks them. */
const packers: readonly (readonly [magic: string, name: string, unpacker: string])[] = [
  ['1f8b', 'gzip', 'gunzip'],
  ['28b52ffd', 'Zstandard', 'unzstd'],
  ['425a68', 'bzip2', 'bunzip2'],
  ['fd377a585a00', 'xz', 'unxz'],
  ['504b0304', 'zip', 'unzip, and pack it again with tar'],
];

/**
 * The regular files of an archive, in its order. Only headers are read. An archive may lack the zeros at its end.
 * @throws LincirError 'bad-file' with the byte where a header is broken, a file goes beyond the archive's end, is sparse,
 *   or has a name that is not UTF-8, or for what is no tar; and what `file.read` throws.
 */
export async function* tarMembers(file: RandomAccess): AsyncGenerator<TarMember, void, void> {
  const read = windowed(file);
  const none: Extension = { pax: undefined, bytes: undefined };
  let extension = none;
  let global: Pax | undefined;
  if (file.size < blockSize) throw await notTar(file);
  for (let position = 0, next = 0; position < file.size; position = next) {
    const refuse = (expected: string, found: string) => broken(file, position, expected, found);
    if (position + blockSize > file.size) {
      throw refuse(
        `a header of ${blockSize} bytes`,
        `${file.size - position} bytes: the archive is cut short`,
      );
    }
    const block = await read(position, blockSize);
    const header = parsed(block, extension.pax, global);
    if (header?.nullBlock) return;
    if (!header?.cksumValid) {
      if (position === 0) throw await notTar(file);
      throw refuse('a header', 'bytes whose checksum is wrong');
    }
    const { type, size } = header;
    if (type === 'SparseFile') throw sparse(file, position);
    if (size === undefined || !Number.isSafeInteger(size)) throw refuse('a size in a header', 'none');
    const offset = position + blockSize;
    if (offset + size > file.size) {
      const found = `${file.size - offset}: the archive is cut short`;
      throw refuse(`${size} bytes of ${quoted(header.path)}`, found);
    }
    next = offset + Math.ceil(size / blockSize) * blockSize;

    if (extensions.has(type)) {
      if (size > extensionLimit) throw refuse(`at most ${extensionLimit} bytes in a header`, `${size}`);
      const bytes = await read(offset, size);
      const text = bytes.toString();
      if (/\d GNU\.sparse\./.test(text)) throw sparse(file, position);
      if (type === 'GlobalExtendedHeader') global = Pax.parse(text, global, true);
      else extension = extended(extension, type, text, bytes);
      // The library leaves out what it cannot read, such as a line end in a name.
      if (/^\d+ path=/m.test(text) && extension.pax?.path === undefined)
        throw refuse('a name without line ends', 'another');
      continue;
    }
    if (files.has(type)) {
      // The library would put the header's folder before a name that is whole.
      const name = extension.pax?.path ?? header.path ?? '';
      const source = extension.pax?.path === undefined ? nameFields(block) : extension.bytes;
      if (name.includes('\uFFFD') && source !== undefined && !isUtf8(source)) {
        throw refuse('a name in UTF-8', quoted(name));
      }
      yield { name, size, offset };
    }
    extension = none;
  }
}

/** Undefined for numbers that the library cannot read. */
function parsed(block: Buffer, extension: Pax | undefined, global: Pax | undefined): Header | undefined {
  try {
    return new Header(block, 0, extension, global);
  } catch {
    return undefined;
  }
}

function extended(before: Extension, type: string, text: string, bytes: Buffer): Extension {
  // Where a link leads is nothing to us.
  if (type === 'NextFileHasLongLinkpath') return before;
  const isPax = type === 'ExtendedHeader' || type === 'OldExtendedHeader';
  const pax = isPax
    ? Pax.parse(text, before.pax)
    : new Pax({ ...before.pax, path: text.replace(/\0.*/s, '') });
  return { pax, bytes };
}

/** The name and, in POSIX archives, the folder before it. */
function nameFields(block: Buffer): Buffer {
  return Buffer.concat([block.subarray(0, 100), block.subarray(345, 500)]);
}

/** Reads that take what probably comes next along: between large members, little more than a header. */
function windowed(file: RandomAccess): (offset: number, length: number) => Promise<Buffer> {
  let begin = 0;
  let window = Buffer.alloc(0);
  return async (offset, length) => {
    const end = begin + window.length;
    if (offset < begin || offset + length > end) {
      const ahead = offset - end < windowSize ? windowSize : windowSizeAfterJump;
      const bytes = await file.read(offset, Math.min(Math.max(ahead, length), file.size - offset));
      window = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      begin = offset;
    }
    return window.subarray(offset - begin, offset - begin + length);
  };
}

async function notTar(file: RandomAccess): Promise<LincirError> {
  const start = Buffer.from(await file.read(0, Math.min(file.size, 8))).toString('hex');
  const packer = packers.find(([magic]) => start.startsWith(magic));
  return new LincirError('bad-file', {
    subject: `${file.path}: byte 0`,
    expected: 'a tar archive',
    found: packer === undefined ? 'no header of one' : `one that is packed with ${packer[1]}`,
    todo:
      packer === undefined ? 'check what the file is, or get it again' : `unpack it with ${packer[2]} first`,
  });
}

function sparse(file: RandomAccess, position: number): LincirError {
  return broken(file, position, 'files that are stored whole', 'a sparse file', 'pack it without --sparse');
}

function broken(
  file: RandomAccess,
  position: number,
  expected: string,
  found: string,
  todo = 'get the archive again',
): LincirError {
  return new LincirError('bad-file', { subject: `${file.path}: byte ${position}`, expected, found, todo });
}
