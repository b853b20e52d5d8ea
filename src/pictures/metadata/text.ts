/** Reads metadata from text: CSV and TSV with a header, or a JSON object a line. */

import { LincirError, parseJsonLine, quoted } from '../../core/index.ts';
import { batched, fileLines } from '../../files/index.ts';
import { fieldCount, parseDelimited } from '../../tables/index.ts';
import { type MetadataBatch, type MetadataRow, type MetadataValue, numberOf, valueLimit } from './types.ts';

/** Lines of JSON in memory at once, in rows and in characters. */
const rowsPerBatch = 2048;
const charactersPerBatch = 2 ** 22;

/**
 * The rows below a header. Quoted fields may have line ends, which become `\n`, and doubled quotes for quotes. In TSV, a
 * quote that does not enclose a whole field is an ordinary character. Empty and missing fields are null. Blank lines are
 * left out.
 * @throws LincirError 'bad-file' naming the line of a record that has more fields than the header, ill-placed quotes, what is not UTF-8, or more than 1 MiB, and what reading throws.
 */
export async function* delimitedBatches(
  path: string,
  delimiter: ',' | '\t',
): AsyncGenerator<MetadataBatch, void, void> {
  let columns: readonly string[] | undefined;
  let line = 1;
  let rows: MetadataRow[] = [];

  const refuse = (expected: string, found: string, cause?: unknown) =>
    new LincirError('bad-file', { subject: `${path}: line ${line}`, expected, found, cause });
  const take = (fields: readonly string[]): void => {
    const isBlank = fields.length === 1 && fields[0] === '';
    if (columns === undefined) {
      // Spreadsheets also write the empty cells to the right of a table.
      if (!isBlank) columns = fields.slice(0, fieldCount(fields, 1));
    } else if (!isBlank) {
      if (fieldCount(fields, columns.length) > columns.length) {
        throw refuse(`at most ${columns.length} fields, as in the header`, `${fields.length}`);
      }
      rows.push({ values: columns.map((_, index) => fields[index] || null), at: line });
    }
    line += 1;
    for (const field of fields) {
      for (let at = field.indexOf('\n'); at >= 0; at = field.indexOf('\n', at + 1)) line += 1;
    }
  };

  const source = batched(linesWithEnds(path));
  for await (const _ of parseDelimited<string>(source, {
    ...{ delimiter, fields: 'text', limit: valueLimit },
    ...{ take, refuse },
  })) {
    if (columns !== undefined) yield { columns, rows };
    rows = [];
  }
}

async function* linesWithEnds(path: string): AsyncGenerator<string, void, void> {
  for await (const line of fileLines(path)) yield `${line}\n`;
}

/**
 * The objects of a file with one object a line, with nested values as JSON text. Blank lines are left out.
 * @throws LincirError 'bad-file' naming the line of what is not a JSON object, and what reading throws.
 */
export async function* jsonBatches(path: string): AsyncGenerator<MetadataBatch, void, void> {
  let at = 0;
  let characters = 0;
  let objects: { readonly object: object; readonly at: number }[] = [];
  for await (const line of fileLines(path)) {
    at += 1;
    if (line.trim() === '') continue;
    objects.push({ object: parsedObject(line, `${path}: line ${at}`), at });
    characters += line.length;
    if (objects.length < rowsPerBatch && characters < charactersPerBatch) continue;
    yield asBatch(objects);
    objects = [];
    characters = 0;
  }
  yield asBatch(objects);
}

function parsedObject(line: string, subject: string): object {
  const value = parseJsonLine(line, subject, /\d{16}|\de/i.test(line) ? inexactAsText : undefined);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new LincirError('bad-file', { subject, expected: 'a JSON object', found: quoted(line) });
}

/** Keeps the digits of numbers that float64 cannot represent. */
function inexactAsText(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined ? numberOf(source) : value;
}

function asBatch(objects: readonly { readonly object: object; readonly at: number }[]): MetadataBatch {
  const columns = [...new Set(objects.flatMap(({ object }) => Object.keys(object)))];
  const rows = objects.map(({ object, at }) => {
    const fields = new Map<string, unknown>(Object.entries(object));
    return { values: columns.map((name) => scalar(fields.get(name))), at };
  });
  return { columns, rows };
}

function scalar(value: unknown): MetadataValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') return value;
  return JSON.stringify(value);
}
