/** NumPy's .npy files: finding the values of float arrays, and the headers of new files. */
// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import { LincirError, quoted } from './errors.ts';
import type { RandomAccess } from './source.ts';
import { bytesPerElement, elementCount } from './tensors.ts';

/** What a .npy file holds: an array of floats. */
interface NpyHeader {
  readonly shape: readonly number[];
  readonly type: 'float16' | 'float32' | 'float64';
  readonly isBigEndian: boolean;
  /** Whether the first axis runs fastest: Fortran's order, a matrix column by column. */
  readonly isColumnMajor: boolean;
  /** Where the values begin, in bytes. They end with the file. */
  readonly offset: number;
}

const magic = '\x93NUMPY';
/** The header's length is a multiple of this. */
const alignment = 64;
/** NumPy's own header of a float array has some hundred bytes. */
const headerLimit = 2 ** 16;

const types: ReadonlyMap<string, NpyHeader['type']> = new Map([
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
]);

/**
 * Reads what a .npy file of format 1.0, 2.0 or 3.0 holds. Throws 'bad-file' if that is not an array of floats, or
 * if the file is shorter or longer than the array.
 */
export async function readNpyHeader(file: RandomAccess): Promise<NpyHeader> {
  const start = await file.read(0, Math.min(file.size, 12));
  const version = start[6] ?? 0;
  if (start.length < 12 || latin1(start.subarray(0, 6)) !== magic || version < 1 || version > 3) {
    throw badHeader(file, 'an array that numpy.save has written', 'other data');
  }
  const begin = version === 1 ? 10 : 12;
  const view = new DataView(start.buffer);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > Math.min(headerLimit, file.size - begin)) {
    throw badHeader(file, `a header of at most ${headerLimit} bytes within the file`, `${length} bytes`);
  }
  const offset = begin + length;
  const header = parseHeader(file, latin1(await file.read(begin, length)));
  const { type, shape } = header;
  const expected = elementCount(shape) * bytesPerElement[type];
  if (file.size - offset !== expected) {
    const array = `${type} ${quoted(`[${shape.join(', ')}]`)}`;
    throw badHeader(file, `${expected} bytes for ${array}`, `${file.size - offset}`);
  }
  return { ...header, offset };
}

/** The header of a float32 array, row-major: magic, version 1.0, a Python dictionary, and spaces. */
export function npyHeader(shape: readonly number[]): Uint8Array {
  const tuple = `(${shape.map((size) => `${size},`).join(' ')})`;
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + dictionary.length + 1) / alignment) * alignment;
  const header = Uint8Array.from(`${magic}\x01\x00..${dictionary.padEnd(length - 11)}\n`, (character) =>
    character.charCodeAt(0),
  );
  new DataView(header.buffer).setUint16(8, length - 10, true);
  return header;
}

/** The header's text is a Python dictionary: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }`. */
function parseHeader(file: RandomAccess, text: string): Omit<NpyHeader, 'offset'> {
  const refuse = (expected: string) => badHeader(file, expected, quoted(text.trim(), 200));
  const entries = new Map<string, string>();
  // Entry by entry, because one pattern for all would try the spaces between them in every way.
  const entry = /\s*'(\w+)':\s*('[^']*'|\w+|\([\dL, ]*\))\s*(?:,|(?=\}))/y;
  entry.lastIndex = 1;
  let end = 1;
  for (let found = entry.exec(text); found !== null; found = entry.exec(text)) {
    entries.set(found[1]!, found[2]!);
    end = entry.lastIndex;
  }
  if (!text.startsWith('{') || !/^\s*\}\s*$/.test(text.slice(end))) {
    throw refuse('a dictionary of descr, fortran_order and shape, without fields of a structure');
  }
  const [, order, kind = ''] = /^'([<>])(\w+)'$/.exec(entries.get('descr') ?? '') ?? [];
  const type = types.get(kind);
  if (type === undefined) throw refuse(`floats, ${[...types.keys()].join(', ')}, behind < or >`);
  const isFortran = entries.get('fortran_order');
  if (isFortran !== 'True' && isFortran !== 'False') throw refuse("'fortran_order': False or True");
  const shape = entries.get('shape');
  if (!shape?.startsWith('(')) throw refuse('a shape');
  // Python 2 wrote long numbers with an L.
  const sizes = Array.from(shape.matchAll(/\d+/g), ([size]) => Number(size));
  return { type, shape: sizes, isBigEndian: order === '>', isColumnMajor: isFortran === 'True' };
}

function badHeader(file: RandomAccess, expected: string, found: string): LincirError {
  return new LincirError('bad-file', {
    subject: `${file.name}: NumPy header`,
    expected,
    found,
    todo: "save it again with numpy.save(path, array.astype('float32'))",
  });
}

/** A character for each byte. */
function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
