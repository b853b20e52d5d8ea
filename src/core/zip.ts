/** Finds the entries of a zip file with uncompressed data, without reading that data. */
// The format: PKWARE APPNOTE.TXT, sections 4.3 (records) and 4.5.3 (zip64).

import { LincirError, quoted } from './errors.ts';
import type { RandomAccess } from './source.ts';

/** Where an entry's data lies in the file. */
export interface ZipEntry {
  readonly offset: number;
  readonly size: number;
}

/** An entry as the central directory describes it. */
interface DirectoryEntry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

/** Where the central directory lies. */
interface Directory {
  readonly count: number;
  readonly offset: number;
  readonly size: number;
}

const signatures = {
  entry: 0x02014b50,
  local: 0x04034b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
const fixedSizes = { entry: 46, local: 30, end: 22, end64: 56, locator64: 20 };
/** General flags: encrypted, strongly encrypted, header masked. */
const encryptionFlags = 0x2041;
/** A field with this value is in the zip64 extra field instead. */
const inZip64 = 0xffffffff;
/** Many times as many as a CLIP has, but few enough to read every header. */
const entryLimit = 50_000;
const directoryByteLimit = 2 ** 24;

/**
 * Finds every entry by its name. Throws 'bad-file' for compressed or encrypted entries, for names that lead elsewhere or
 * occur twice, and for whatever does not fit into the file.
 * @param isWanted by names. Other entries are left out, whatever they are
 */
export async function readZipEntries(
  file: RandomAccess,
  isWanted: (name: string) => boolean = () => true,
): Promise<ReadonlyMap<string, ZipEntry>> {
  const directory = await findDirectory(file);
  const entries = new Map<string, ZipEntry>();
  for (const entry of parseDirectory(file, directory, await file.read(directory.offset, directory.size))) {
    if (!isWanted(entry.name)) continue;
    if (entries.has(entry.name)) {
      throw badEntry(file, entry.name, 'every name once', 'it twice');
    }
    checkEntry(file, entry);
    entries.set(entry.name, { offset: await dataOffset(file, directory, entry), size: entry.size });
  }
  return entries;
}

/** Reads the end of the file, which says where the central directory lies. */
async function findDirectory(file: RandomAccess): Promise<Directory> {
  const tailLength = Math.min(file.size, fixedSizes.locator64 + fixedSizes.end + 0xffff);
  const tailBegin = file.size - tailLength;
  const tail = new DataView((await file.read(tailBegin, tailLength)).buffer);
  // The record ends with a comment, mostly empty, whose length varies. So search from the end.
  let end = tailLength - fixedSizes.end;
  while (
    end >= 0 &&
    !(
      tail.getUint32(end, true) === signatures.end &&
      end + fixedSizes.end + tail.getUint16(end + 20, true) === tailLength
    )
  ) {
    end -= 1;
  }
  if (end < 0) {
    throw badZip(file, 'a zip directory at its end', 'none');
  }
  const locator = end - fixedSizes.locator64;
  const isZip64 = locator >= 0 && tail.getUint32(locator, true) === signatures.locator64;
  const recordBegin = isZip64 ? getUint64(tail, locator + 8) : tailBegin + end;
  if (recordBegin + (isZip64 ? fixedSizes.end64 : fixedSizes.end) > file.size) {
    throw badZip(file, 'a zip64 directory in it', `one at ${recordBegin} of ${file.size} bytes`);
  }
  const directory = isZip64
    ? parseEnd64(file, new DataView((await file.read(recordBegin, fixedSizes.end64)).buffer))
    : {
        count: tail.getUint16(end + 10, true),
        size: tail.getUint32(end + 12, true),
        offset: tail.getUint32(end + 16, true),
      };
  if (directory.count > entryLimit || directory.size > directoryByteLimit) {
    const found = `${directory.count} entries in ${directory.size} bytes`;
    throw badZip(file, `at most ${entryLimit} entries in ${directoryByteLimit} bytes of directory`, found);
  }
  if (directory.offset + directory.size > recordBegin) {
    const found = `one of ${directory.size} bytes at ${directory.offset}`;
    throw badZip(file, `a zip directory before byte ${recordBegin}`, found);
  }
  return directory;
}

function parseEnd64(file: RandomAccess, record: DataView): Directory {
  if (record.getUint32(0, true) !== signatures.end64) {
    throw badZip(file, 'a zip64 directory', 'none where it should be');
  }
  return { count: getUint64(record, 32), size: getUint64(record, 40), offset: getUint64(record, 48) };
}

function parseDirectory(
  file: RandomAccess,
  directory: Directory,
  bytes: Uint8Array<ArrayBuffer>,
): DirectoryEntry[] {
  const view = new DataView(bytes.buffer);
  const entries: DirectoryEntry[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + fixedSizes.entry > bytes.length || view.getUint32(at, true) !== signatures.entry) {
      throw badZip(
        file,
        `${directory.count} entries in its directory`,
        `${entries.length} and something else`,
      );
    }
    const nameEnd = at + fixedSizes.entry + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const end = extraEnd + view.getUint16(at + 32, true);
    if (end > bytes.length) {
      throw badZip(file, 'whole directory entries', 'one that is cut short');
    }
    const name = decodeName(file, bytes.subarray(at + fixedSizes.entry, nameEnd));
    const wide = zip64Field(bytes.subarray(nameEnd, extraEnd));
    const sizeOrOffset = (position: number): number => {
      const value = view.getUint32(at + position, true);
      return value === inZip64 ? (wide.shift() ?? Infinity) : value;
    };
    // In the order of the zip64 field, which has only those of the three that do not fit into 32 bits.
    const size = sizeOrOffset(24);
    const compressedSize = sizeOrOffset(20);
    const headerOffset = sizeOrOffset(42);
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    entries.push({ name, flags, method, compressedSize, size, headerOffset });
    at = end;
  }
  if (entries.length !== directory.count) {
    throw badZip(file, `${directory.count} entries in its directory`, String(entries.length));
  }
  return entries;
}

/** The 64-bit numbers of an entry's zip64 extra field; none if it has no such field. */
function zip64Field(extra: Uint8Array): number[] {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = Math.min(at + 4 + view.getUint16(at + 2, true), extra.length);
    if (view.getUint16(at, true) === 1) {
      const values: number[] = [];
      for (let value = at + 4; value + 8 <= end; value += 8) {
        values.push(getUint64(view, value));
      }
      return values;
    }
    at = end;
  }
  return [];
}

function checkEntry(file: RandomAccess, { name, flags, method, size, compressedSize }: DirectoryEntry): void {
  const segments = name.split('/');
  if (name === '' || /^\/|^[a-z]:|\\/i.test(name) || segments.includes('..')) {
    throw badEntry(file, name, 'a path inside the zip', 'one that leads elsewhere');
  }
  if ((flags & encryptionFlags) !== 0) {
    throw badEntry(file, name, 'plain data', 'encrypted data');
  }
  if (method !== 0 || size !== compressedSize) {
    throw badEntry(
      file,
      name,
      'uncompressed data',
      `compression method ${method}, ${compressedSize} bytes for ${size}`,
    );
  }
}

/** Reads the header before an entry's data, because only this header says how long it is. */
async function dataOffset(file: RandomAccess, directory: Directory, entry: DirectoryEntry): Promise<number> {
  const { name, headerOffset, size } = entry;
  const nameLength = new TextEncoder().encode(name).length;
  const nameEnd = headerOffset + fixedSizes.local + nameLength;
  if (!(nameEnd <= directory.offset)) {
    throw badEntry(file, name, `a header before byte ${directory.offset}`, `one at ${headerOffset}`);
  }
  const bytes = await file.read(headerOffset, nameEnd - headerOffset);
  const header = new DataView(bytes.buffer);
  if (
    header.getUint32(0, true) !== signatures.local ||
    header.getUint16(8, true) !== 0 ||
    (header.getUint16(6, true) & encryptionFlags) !== 0 ||
    header.getUint16(26, true) !== nameLength ||
    decodeName(file, bytes.subarray(fixedSizes.local)) !== name
  ) {
    throw badEntry(file, name, 'a header that agrees with the directory', 'one that does not');
  }
  const offset = nameEnd + header.getUint16(28, true);
  if (offset + size > directory.offset) {
    throw badEntry(file, name, `data before byte ${directory.offset}`, `${size} bytes at ${offset}`);
  }
  return offset;
}

function decodeName(file: RandomAccess, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new LincirError('bad-file', {
      subject: file.name,
      expected: 'names in UTF-8',
      found: 'other bytes',
      cause,
    });
  }
}

/** As a number. Past 2^53 it is inexact, but then also larger than any file. */
function getUint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function badEntry(file: RandomAccess, name: string, expected: string, found: string): LincirError {
  return badZip({ name: `${file.name}: entry ${quoted(name)}` }, expected, found);
}

function badZip(file: Pick<RandomAccess, 'name'>, expected: string, found: string): LincirError {
  return new LincirError('bad-file', {
    subject: file.name,
    expected,
    found,
    todo: 'get the file again, or write it with torch.save, which compresses and encrypts nothing',
  });
}
