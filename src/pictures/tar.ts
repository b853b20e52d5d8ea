/** Finds the files in tar archives, such as WebDataset's shards, without unpacking or reading their data. */

import { isUtf8 } from 'node:buffer';
import { LincirError, quoted, type RandomAccess } from '../core/index.ts';
import { blockSize, parseHeader, parseRecords, type TarHeader, upToZero } from './tar-header.ts';

/** A file in an archive, or a link. */
export interface TarMember {
  /** The archive's name: relative or not, in any folder. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Where its data begins in the archive, in bytes. */
  readonly offset: number;
  /** Target of a link, which has no data: a member's name or, if symbolic, a path from the link's folder. */
  readonly link?: { readonly kind: 'hard' | 'symbolic'; readonly target: string };
  /** Why it cannot be used, while others can. */
  readonly problem?: string;
}

/** What extension headers say about the next file, by pax's keywords. */
type Extension = ReadonlyMap<string, Buffer>;

/** Limit of a name in bytes, so that a hostile one does not fill the memory. */
const extensionLimit = 2 ** 20;
/** Bytes of zeros to skip after an archive's end mark, because another archive may follow. */
const zerosLimit = 2 ** 20;
/** Bytes of one read among small members, and after a large one. */
const windowSize = 2 ** 16;
const windowSizeAfterJump = 2 ** 12;

/** Types of files: regular, contiguous, and GNU's sparse files. */
const files = '07S';
const links: ReadonlyMap<string, 'hard' | 'symbolic'> = new Map([
  ['1', 'hard'],
  ['2', 'symbolic'],
]);
/** Links, devices, folders and pipes have no data, whatever their size field says. */
const withoutData = '123456';
/** Pax's headers for one file (Solaris: X) and for all following files; GNU's long names and long targets of links. */
const extensions = 'xXgLK';
const sparseName = 'GNU.sparse.name';
const sparse = 'GNU.sparse';
const keywords: ReadonlySet<string> = new Set(['path', 'linkpath', 'size', sparseName]);

/** First bytes of compressed files, and the program that unpacks them. */
const packers: readonly (readonly [magic: string, name: string, unpacker: string])[] = [
  ['1f8b', 'gzip', 'gunzip'],
  ['28b52ffd', 'Zstandard', 'unzstd'],
  ['425a68', 'bzip2', 'bunzip2'],
  ['fd377a585a00', 'xz', 'unxz'],
  ['504b0304', 'zip', 'unzip, and pack it again with tar'],
];

/**
 * The files and links of an archive, in its order. Only headers are read. An archive may lack the zeros at its end. Another
 * archive may follow them, as `cat a.tar b.tar` makes it; anything else after them is ignored.
 * @throws LincirError 'bad-file' with the byte where a header is broken or a file exceeds the archive, or if it is not a
 *   tar; and what `file.read` throws.
 */
export async function* tarMembers(file: RandomAccess): AsyncGenerator<TarMember, void, void> {
  const read = windowed(file);
  const none: Extension = new Map();
  let extension = none;
  let global = none;
  /** Bytes since the last header, if that was the archive's last. */
  let zeros = 0;
  await expectTar(file);
  for (let position = 0, next = 0; position < file.size; position = next) {
    const refuse = (expected: string, found: string) => broken(file, position, expected, found);
    if (position + blockSize > file.size) {
      if (zeros > 0) return;
      const found = `${file.size - position} bytes: the archive is cut short`;
      throw refuse(`a header of ${blockSize} bytes`, found);
    }
    const header = parseHeader(await read(position, blockSize));
    if (header === 'zeros') {
      zeros += blockSize;
      if (zeros > zerosLimit) return;
      next = position + blockSize;
      [extension, global] = [none, none];
      continue;
    }
    if (header === undefined) {
      if (zeros > 0) return;
      throw refuse('a header', 'bytes whose checksum is wrong');
    }
    zeros = 0;
    const { type } = header;
    const isExtension = extensions.includes(type);
    // Extensions apply to the next file, not to further extensions.
    const fields = isExtension ? none : new Map([...global, ...extension]);
    const size = withoutData.includes(type) ? 0 : sizeOf(header, fields);
    if (size === undefined || !Number.isSafeInteger(size)) throw refuse('a size in a header', 'none');
    const offset = position + blockSize + (await mapSize(read, file, position, header));
    const name = bytesOf(fields, 'path') ?? header.name;
    if (offset + size > file.size) {
      const found = `${Math.max(0, file.size - offset)}: the archive is cut short`;
      throw refuse(`${size} bytes of ${quoted(name.toString())}`, found);
    }
    next = offset + Math.ceil(size / blockSize) * blockSize;
    if (isExtension) {
      if (size > extensionLimit) throw refuse(`at most ${extensionLimit} bytes in a header`, `${size}`);
      const records = recordsOf(type, Buffer.from(await read(offset, size)));
      if (records === undefined) throw refuse("a header's records", 'others');
      if (type === 'g') global = new Map([...global, ...records]);
      else extension = new Map([...extension, ...records]);
      continue;
    }
    extension = none;
    const kind = links.get(type);
    if (kind !== undefined) {
      const target = (bytesOf(fields, 'linkpath') ?? header.target).toString();
      yield { ...named(name), size, offset, link: { kind, target } };
    } else if (files.includes(type) && !name.toString().endsWith('/')) {
      const isSparse = type === 'S' || fields.has(sparse) || fields.has(sparseName);
      const problem = 'expected a file that is stored whole, found a sparse one; pack it without --sparse';
      const member = { ...named(bytesOf(fields, sparseName) ?? name), size, offset };
      yield isSparse ? { ...member, problem } : member;
    }
  }
}

/** Throws LincirError 'bad-file' if it does not begin like an archive, and what `file.read` throws. */
export async function expectTar(file: RandomAccess): Promise<void> {
  const start = Buffer.from(await file.read(0, Math.min(file.size, blockSize)));
  if (start.length === blockSize && parseHeader(start) !== undefined) return;
  const packer = packers.find(([magic]) => start.toString('hex').startsWith(magic));
  throw new LincirError('bad-file', {
    subject: `${file.name}: byte 0`,
    expected: 'a tar archive',
    found: packer === undefined ? 'no header of one' : `one that is packed with ${packer[1]}`,
    todo:
      packer === undefined ? 'check what the file is, or get it again' : `unpack it with ${packer[2]} first`,
  });
}

function named(name: Buffer): Pick<TarMember, 'name' | 'problem'> {
  const text = name.toString();
  if (isUtf8(name) && !name.includes(0)) return { name: text };
  return { name: text, problem: 'expected a name in UTF-8, found other bytes; rename it and pack it again' };
}

/** A keyword without a value removes an earlier one. */
function bytesOf(fields: Extension, key: string): Buffer | undefined {
  const value = fields.get(key);
  return value === undefined || value.length === 0 ? undefined : value;
}

function sizeOf({ size }: TarHeader, fields: Extension): number | undefined {
  const text = bytesOf(fields, 'size')?.toString('latin1');
  if (text === undefined) return size;
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Keeps only what is used, because files may have any number of headers. */
function recordsOf(type: string, bytes: Buffer): Extension | undefined {
  if (type === 'L') return new Map([['path', upToZero(bytes)]]);
  if (type === 'K') return new Map([['linkpath', upToZero(bytes)]]);
  const records = parseRecords(bytes);
  const kept = records && [...records].filter(([key]) => keywords.has(key) || key.startsWith('GNU.sparse.'));
  // One of a sparse file's many records is enough.
  return kept && new Map(kept.map(([key, value]) => [keywords.has(key) ? key : sparse, value]));
}

/** Bytes of an old sparse file's map between its header and its data. */
async function mapSize(
  read: (offset: number, length: number) => Promise<Buffer>,
  file: RandomAccess,
  position: number,
  { type, isExtended }: TarHeader,
): Promise<number> {
  let size = 0;
  for (let more = type === 'S' && isExtended; more; ) {
    const at = position + blockSize + size;
    if (at + blockSize > file.size) throw broken(file, position, 'the map of a sparse file', 'its beginning');
    more = (await read(at, blockSize))[504] !== 0;
    size += blockSize;
  }
  return size;
}

/** Reads ahead what probably comes next: little more than a header between large members. */
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

function broken(file: RandomAccess, position: number, expected: string, found: string): LincirError {
  const todo = 'get the archive again';
  return new LincirError('bad-file', { subject: `${file.name}: byte ${position}`, expected, found, todo });
}
