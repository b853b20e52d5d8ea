/** Opens files of ready embeddings, with a name for every row: safetensors and NumPy. */

import { extname } from 'node:path';
import { z } from 'zod';
import {
  bytesPerElement,
  checkedValue,
  type Float32Tensor,
  type FloatType,
  isFloatType,
  LincirError,
  option,
  parseJsonText,
  quoted,
  type RandomAccess,
  readNpyHeader,
  readSafetensorsHeader,
  recordOf,
  type StoredTensor,
  toFloat32,
} from '../core/index.ts';
import { fileLines, fileSource, pathOnDisk, readJsonFile, readLines, statOf } from '../files/index.ts';

/** `openEmbeddings`' second argument, as messages name it. */
const namesFile = option<{ readonly names: string }>('names');

export interface EmbeddingsFile {
  readonly path: string;
  readonly count: number;
  readonly dimensions: number;
  /** Fingerprint of the model that made them, if the file says so. */
  readonly model?: string;
  readonly fingerprint?: string;
  /** In bytes. */
  readonly size: number;
  /** When the file was last written, in milliseconds since 1970. */
  readonly modified: number;
  readonly statusChanged: number;
  /**
   * All rows in order, some thousand at a time, with the file's own embeddings: [some, dimensions].
   * @throws LincirError 'bad-file' naming a row that is all zeros or has a value that is not finite.
   */
  rows(): AsyncGenerator<NamedRows, void, void>;
}

interface NamedRows {
  readonly names: string[];
  readonly embeddings: Float32Tensor;
}

/** Position of a matrix in a file, and other facts of the file. */
interface Matrix {
  readonly type: FloatType;
  readonly shape: readonly number[];
  /** In bytes. */
  readonly offset: number;
  readonly isBigEndian?: boolean;
  readonly isColumnMajor?: boolean;
  readonly names?: StoredTensor;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Formats by the ending of the file's name. */
const formats = new Map<string, (file: RandomAccess) => Promise<Matrix>>([
  ['.safetensors', safetensorsMatrix],
  ['.npy', readNpyHeader],
]);

const rowsPerRead = 4096;
const bytesPerRead = 2 ** 24;
/** Limit of dimensions, more than any model has, so that wide rows do not fill the memory. */
const dimensionLimit = 2 ** 16;

/**
 * Opens a `.safetensors` file (a tensor `embeddings` or only one matrix of floats, and names in a tensor `names`, as
 * `lincir embed` writes them), or a `.npy` file (beside `x.npy`, names in `x.names.jsonl`, and in
 * `x.model.json` what made it).
 * @param names a file with the rows' names, which wins over the others: a name a line, or in `.jsonl` a JSON string
 * @throws LincirError 'bad-argument' for another ending or when no names are found, 'bad-file' for a file without
 *   embeddings or with more or fewer names than rows, 'not-found' and 'io'.
 */
export async function openEmbeddings(file: string, names?: string): Promise<EmbeddingsFile> {
  const path = await pathOnDisk(file);
  const format = formats.get(extname(path).toLowerCase());
  if (format === undefined) {
    throw new LincirError('bad-argument', {
      subject: path,
      expected: `embeddings in a file whose name ends in ${[...formats.keys()].join(' or ')}`,
      found: 'another name',
    });
  }
  const source = await fileSource(path);
  const matrix = await format(source);
  const [count = 0, dimensions = 0] = matrix.shape;
  if (matrix.shape.length !== 2 || dimensions < 1 || dimensions > dimensionLimit) {
    throw new LincirError('bad-file', {
      subject: path,
      expected: `a matrix of 1 to ${dimensionLimit} columns`,
      found: `the shape ${quoted(`[${matrix.shape.join(', ')}]`)}`,
    });
  }
  const readNames = await namesOf(path, matrix, names);
  let named = 0;
  for await (const _ of readNames()) named += 1;
  if (named !== count) throw wrongCount(path, count, named);

  const { model, fingerprint } = matrix.metadata ?? (await metadataBeside(path)) ?? {};
  const { size, modified, statusChanged } = source;
  return {
    ...{ path, count, dimensions, size, modified, statusChanged },
    ...(model !== undefined && { model }),
    ...(fingerprint !== undefined && { fingerprint }),
    rows: () => namedRows(source, matrix, readNames),
  };
}

/** What made the embeddings, as `lincir embed` writes it beside a `.npy` file, which has no place for it. */
async function metadataBeside(path: string): Promise<Matrix['metadata']> {
  const beside = besideOf(path, '.model.json');
  if (!(await statOf(beside))) return undefined;
  return checkedValue(recordOf(z.string()), await readJsonFile(beside), beside);
}

/** A file of the same name with another ending. */
function besideOf(path: string, ending: string): string {
  return path.slice(0, -extname(path).length) + ending;
}

async function safetensorsMatrix(file: RandomAccess): Promise<Matrix> {
  const { tensors, metadata } = await readSafetensorsHeader(file);
  const matrices = [...tensors.values()].filter(({ type, shape }) => isFloatType(type) && shape.length === 2);
  const matrix = tensors.get('embeddings') ?? (matrices.length === 1 ? matrices[0] : undefined);
  if (matrix === undefined || !isFloatType(matrix.type)) {
    throw new LincirError('bad-file', {
      subject: file.name,
      expected: 'a matrix of floats named "embeddings", or no other matrix of floats',
      found: matrix === undefined ? `${matrices.length} matrices` : `"embeddings" of ${matrix.type}`,
    });
  }
  const names = tensors.get('names');
  if (names !== undefined && names.type !== 'uint8') {
    throw new LincirError('bad-file', {
      subject: `${file.name}: tensor "names"`,
      expected: 'uint8: a JSON string a line',
      found: names.type,
    });
  }
  const { type, shape, offset } = matrix;
  return { type, shape, offset, metadata, ...(names && { names }) };
}

/** Reads the names, each time from the first on. */
async function namesOf(
  path: string,
  { names: tensor }: Matrix,
  given: string | undefined,
): Promise<() => AsyncGenerator<string, void, void>> {
  if (given !== undefined) {
    const isJson = ['.jsonl', '.ndjson'].includes(extname(given).toLowerCase());
    return () => (isJson ? jsonStrings(fileLines(given), given) : fileLines(given));
  }
  if (tensor !== undefined) {
    const subject = `${path}: names`;
    return () => jsonStrings(readLines(tensorBytes(tensor), subject), subject);
  }
  const beside = besideOf(path, '.names.jsonl');
  if (await statOf(beside)) return () => jsonStrings(fileLines(beside), beside);
  throw new LincirError('bad-argument', {
    subject: path,
    expected: 'a name for each row',
    found: `no tensor "names" and no file ${quoted(beside)}`,
    todo: `give them with ${namesFile}, one a line`,
  });
}

async function* tensorBytes({ source, offset, byteLength }: StoredTensor): AsyncGenerator<Uint8Array> {
  const bytes = 2 ** 18;
  for (let at = 0; at < byteLength; at += bytes) {
    yield await source.read(offset + at, Math.min(bytes, byteLength - at));
  }
}

async function* jsonStrings(
  lines: AsyncIterable<string>,
  subject: string,
): AsyncGenerator<string, void, void> {
  let number = 0;
  for await (const line of lines) {
    number += 1;
    const value = parseJsonText(line, `${subject}: line ${number}`);
    if (typeof value !== 'string') {
      throw new LincirError('bad-file', {
        subject: `${subject}: line ${number}`,
        expected: 'a JSON string',
        found: quoted(line),
      });
    }
    yield value;
  }
}

async function* namedRows(
  file: RandomAccess,
  matrix: Matrix,
  readNames: () => AsyncGenerator<string, void, void>,
): AsyncGenerator<NamedRows, void, void> {
  const [count, dimensions] = matrix.shape as [number, number];
  const bytesPerRow = dimensions * bytesPerElement[matrix.type];
  const rows = Math.max(1, Math.min(rowsPerRead, Math.floor(bytesPerRead / bytesPerRow)));
  const allNames = readNames();
  try {
    for (let begin = 0; begin < count; begin += rows) {
      const size = Math.min(rows, count - begin);
      const data = await readRows(file, matrix, begin, size);
      const names: string[] = [];
      while (names.length < size) {
        const { value } = await allNames.next();
        if (value === undefined) throw wrongCount(file.name, count, begin + names.length);
        names.push(value);
      }
      checkRows(file.name, names, data, begin);
      yield { names, embeddings: { shape: [size, dimensions], data } };
    }
  } finally {
    await allNames.return();
  }
}

/** Blocks of a matrix's rows: [size, dimensions]. */
async function readRows(
  file: RandomAccess,
  { type, shape, offset, isBigEndian, isColumnMajor }: Matrix,
  begin: number,
  size: number,
): Promise<Float32Array> {
  const [count, dimensions] = shape as [number, number];
  const width = bytesPerElement[type];
  const valuesAt = async (at: number, length: number): Promise<Float32Array> => {
    const { buffer } = await file.read(offset + at * width, length * width);
    if (isBigEndian) Buffer.from(buffer)[({ 2: 'swap16', 4: 'swap32', 8: 'swap64' } as const)[width]]();
    return toFloat32(type, buffer);
  };
  if (!isColumnMajor) return await valuesAt(begin * dimensions, size * dimensions);
  const rows = new Float32Array(size * dimensions);
  for (let column = 0; column < dimensions; column += 1) {
    const values = await valuesAt(column * count + begin, size);
    for (let row = 0; row < size; row += 1) rows[row * dimensions + column] = values[row]!;
  }
  return rows;
}

function checkRows(path: string, names: readonly string[], data: Float32Array, begin: number): void {
  const dimensions = data.length / names.length;
  for (const [index, name] of names.entries()) {
    const row = data.subarray(index * dimensions, (index + 1) * dimensions);
    const areFinite = row.every(Number.isFinite);
    if (areFinite && row.some((value) => value !== 0)) continue;
    throw new LincirError('bad-file', {
      subject: `${path}: row ${begin + index + 1}, ${quoted(name)}`,
      expected: 'finite numbers in float32 that are not all zero',
      found: areFinite ? 'zeros' : `${row.find((value) => !Number.isFinite(value))}`,
      todo: 'leave this row out',
    });
  }
}

function wrongCount(path: string, count: number, found: number): LincirError {
  return new LincirError('bad-file', {
    subject: path,
    expected: `${count} names, one for each row`,
    found: `${found}`,
    todo: `check that the names belong to this file, or give others with ${namesFile}`,
  });
}
