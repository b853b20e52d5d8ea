/** Reads metadata of images from CSV, TSV, JSON lines or Parquet: the columns with their types, and the rows by image. */

import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { LincirError, nameKey, option, quoted } from '../../core/index.ts';
import { asLincirError, pathOnDisk } from '../../files/index.ts';
import { parquetBatches } from './parquet.ts';
import { delimitedBatches, jsonBatches } from './text.ts';
import {
  type MetadataBatch,
  type MetadataFormat,
  type MetadataType,
  type MetadataValue,
  typeOfText,
  typeOfValue,
} from './types.ts';

export type { MetadataType, MetadataValue };

export interface MetadataFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** When the file was last written, in milliseconds since 1970. */
  readonly modified: number;
  /** All columns except the key, and except those without any value. */
  readonly columns: ReadonlyMap<string, MetadataType>;
  /** Columns without any value. They have no type yet, and are null. */
  readonly empty: readonly string[];
  /** The column that names the images. */
  readonly key: string;
  /**
   * All rows, some thousand at a time, each with every column.
   * @param wanted types that replace columns' own: anything can become a text, and 0 and 1 booleans
   * @throws LincirError 'bad-file' naming a line or row without a key, or with a value that cannot have the wanted type,
   *   and what reading throws.
   */
  rows(wanted?: ReadonlyMap<string, MetadataType>): AsyncGenerator<readonly ImageMetadata[], void, void>;
}

interface ImageMetadata {
  /** The image's name, without `..` before it. */
  readonly key: string;
  readonly values: Readonly<Record<string, MetadataValue>>;
  /** The line or row of the file, from 1. */
  readonly at: number;
}

export interface MetadataOptions {
  /** The column that names the images; by default the first of `path`, `file` and so on. */
  readonly key?: string;
  /** Names that columns may not have. */
  readonly reserved: ReadonlySet<string>;
}

const csv: MetadataFormat = {
  ...{ unit: 'line', typeOf: typeOfText },
  batches: (path) => delimitedBatches(path, ','),
};
const json: MetadataFormat = { unit: 'line', typeOf: typeOfValue, batches: jsonBatches };

/** A column of the resulting rows. */
interface Place {
  readonly name: string;
  readonly type: MetadataType | undefined;
  /** Whether the type comes from the file's values. */
  readonly isOwn: boolean;
}

/** Formats by the ending of the file's name. */
const formats: ReadonlyMap<string, MetadataFormat> = new Map([
  ['.csv', csv],
  ['.tsv', { ...csv, batches: (path) => delimitedBatches(path, '\t') }],
  ['.jsonl', json],
  ['.ndjson', json],
  ['.parquet', { unit: 'row', typeOf: typeOfValue, batches: parquetBatches }],
]);

/** `key` is what img2dataset and WebDataset call it. */
const usualKeys = ['path', 'file', 'file_name', 'filename', 'name', 'key', 'id'];
const columnLimit = 100;
/** Names that every engine accepts. */
const columnName = /^\p{L}[\p{L}\p{M}\p{N} _-]{0,63}$/u;
const rowsPerBatch = 2048;

/**
 * Reads a file once for its columns' types, in bounded memory: number or boolean if all present values are, else string.
 * @throws LincirError 'bad-argument' for another ending or a key that the file does not have, 'bad-file' for too many
 *   columns or one that has no name, is repeated or reserved, and what reading throws.
 */
export async function openMetadata(named: string, options: MetadataOptions): Promise<MetadataFile> {
  const path = await pathOnDisk(named);
  const format = formats.get(extname(path).toLowerCase());
  if (format === undefined) {
    throw new LincirError('bad-argument', {
      subject: path,
      expected: `metadata in a file whose name ends in ${[...formats.keys()].join(', ')}`,
      found: 'another name',
    });
  }
  const { size, mtimeMs } = await stat(path).catch((error: unknown) => {
    throw asLincirError(error, path, 'read');
  });
  const types = await inferTypes(path, format);
  const key = keyOf(path, [...types.keys()], options.key);
  types.delete(key);
  for (const name of types.keys()) {
    const isReserved = options.reserved.has(name);
    if (columnName.test(name) && !isReserved) continue;
    throw new LincirError('bad-file', {
      subject: path,
      expected: isReserved
        ? 'columns of other names than those that every image has'
        : 'names of columns that begin with a letter and have letters, digits, spaces, _ and - after it',
      found: quoted(name),
      todo: 'rename this column, or leave it out',
    });
  }
  return {
    ...{ path, size, modified: mtimeMs, key },
    columns: new Map([...types].flatMap(([name, type]) => (type === undefined ? [] : [[name, type]]))),
    empty: [...types].flatMap(([name, type]) => (type === undefined ? [name] : [])),
    rows: (wanted = new Map()) => {
      const places = Array.from(types, ([name, own]): Place => {
        const type = wanted.get(name) ?? own;
        return { name, type, isOwn: type === own };
      });
      return pictureRows(path, format, key, places);
    },
  };
}

/** Batches whose columns have no spaces around their names. */
async function* namedBatches(
  path: string,
  format: MetadataFormat,
): AsyncGenerator<MetadataBatch, void, void> {
  for await (const { columns, rows } of format.batches(path)) {
    yield { columns: columns.map((name) => name.trim()), rows };
  }
}

async function inferTypes(
  path: string,
  format: MetadataFormat,
): Promise<Map<string, MetadataType | undefined>> {
  const types = new Map<string, MetadataType | undefined>();
  for await (const { columns, rows } of namedBatches(path, format)) {
    checkColumns(path, columns, types);
    for (const [index, name] of columns.entries()) {
      let type = types.get(name);
      for (const { values } of rows) {
        if (type === 'string') break;
        const found = format.typeOf(values[index]!);
        if (found !== undefined) type = type === undefined || type === found ? found : 'string';
      }
      types.set(name, type);
    }
  }
  return types;
}

function checkColumns(path: string, columns: readonly string[], known: ReadonlyMap<string, unknown>): void {
  const refuse = (expected: string, found: string, todo: string) =>
    new LincirError('bad-file', { subject: path, expected, found, todo });
  const names = new Map<string, number>();
  for (const [index, name] of columns.entries()) {
    if (name === '') {
      const found = `none for column ${index + 1}`;
      throw refuse('a name for each column', found, 'name it, or leave it out (pandas: index=False)');
    }
    const other = names.get(nameKey(name));
    if (other !== undefined) {
      const found = `${quoted(name)} twice, as columns ${other + 1} and ${index + 1}`;
      throw refuse('each column once', found, 'rename one of them');
    }
    names.set(nameKey(name), index);
  }
  const { size } = new Set([...known.keys(), ...columns]);
  if (size > columnLimit) throw refuse(`at most ${columnLimit} columns`, `${size}`, 'leave some out');
}

function keyOf(path: string, columns: readonly string[], wanted: string | undefined): string {
  const key = (wanted === undefined ? usualKeys : [wanted])
    .map((name) => columns.find((column) => nameKey(column) === nameKey(name.trim())))
    .find((column) => column !== undefined);
  if (key !== undefined) return key;
  const listed = columns.map((name) => quoted(name)).join(', ') || 'none';
  throw new LincirError('bad-argument', {
    subject: path,
    expected: `a column ${(wanted === undefined ? usualKeys : [wanted]).map((name) => quoted(name)).join(' or ')}`,
    found: `the columns ${listed}`,
    todo: `say which one has the images' names with ${option<MetadataOptions>('key')}`,
  });
}

async function* pictureRows(
  path: string,
  format: MetadataFormat,
  key: string,
  places: readonly Place[],
): AsyncGenerator<readonly ImageMetadata[], void, void> {
  for await (const batch of namedBatches(path, format)) {
    for (let begin = 0; begin < batch.rows.length; begin += rowsPerBatch) {
      yield convertedRows(batch, begin, path, format, key, places);
    }
  }
}

function convertedRows(
  { columns, rows }: MetadataBatch,
  begin: number,
  path: string,
  { unit, typeOf }: MetadataFormat,
  key: string,
  places: readonly Place[],
): readonly ImageMetadata[] {
  const keyIndex = columns.indexOf(key);
  const indices = new Map(columns.map((name, index) => [name, index]));
  return rows.slice(begin, begin + rowsPerBatch).map(({ values, at }) => {
    const refuse = (expected: string, found: string, todo: string) =>
      new LincirError('bad-file', { subject: `${path}: ${unit} ${at}`, expected, found, todo });
    const picture = String(values[keyIndex] ?? '').replace(/^(?:\.\/)+/, '');
    if (picture === '') {
      throw refuse(
        `an image's name in the column ${quoted(key)}`,
        'none',
        'fill it in, or leave the row out',
      );
    }
    const entries = places.map(({ name, type, isOwn }): [string, MetadataValue] => {
      const value = values[indices.get(name) ?? -1] ?? null;
      if (value === null) return [name, null];
      if (type === 'string') return [name, String(value).toWellFormed()];
      const own = typeOf(value);
      if (own === undefined) return [name, null];
      const text = String(value).trim().toLowerCase();
      if (own === type) return [name, type === 'number' ? Number(value) : text === 'true'];
      if (!isOwn && type === 'boolean' && /^[01]$/.test(text)) return [name, text === '1'];
      const found = `${quoted(value)} as ${quoted(name)}`;
      if (isOwn) {
        const expected = type === undefined ? 'nothing' : `a ${type}`;
        throw refuse(expected, found, 'the file has changed while it was read: try again');
      }
      const todo = 'write one there, leave it empty, or give this column another name';
      throw refuse(`a ${type}, as this column of the index has`, found, todo);
    });
    return { key: picture.toWellFormed(), values: Object.fromEntries(entries), at };
  });
}
