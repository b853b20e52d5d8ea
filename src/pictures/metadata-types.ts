/** What the readers of metadata give: batches of values as the formats have them, with their places. */

export type MetadataType = 'string' | 'number' | 'boolean';
export type MetadataValue = string | number | boolean | null;

/** A line of text or a row of a table. */
export interface MetadataRow {
  /** As many as the batch has columns. */
  readonly values: readonly MetadataValue[];
  /** Its line or row, from 1. */
  readonly at: number;
}

export interface MetadataBatch {
  /** Where the file has no header, those of this batch. */
  readonly columns: readonly string[];
  readonly rows: readonly MetadataRow[];
}

export interface MetadataFormat {
  /** What messages count. */
  readonly unit: 'line' | 'row';
  /** The type that a value can have; undefined for null. */
  readonly typeOf: (value: MetadataValue) => MetadataType | undefined;
  /** All rows, some hundreds or thousands at a time; a file without rows gives a batch with its columns. */
  readonly batches: (path: string) => AsyncGenerator<MetadataBatch, void, void>;
}

/** A picture has no value as long: a lost quote, or a picture in a column, is not to fill the memory. */
export const valueLimit = 2 ** 20;

/** Numbers as JSON writes them: what begins with a zero, as `007` does, is a name. */
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const truth = /^(?:true|false)$/i;

/** The type of a value that says its own. */
export function typeOfValue(value: MetadataValue): MetadataType | undefined {
  return value === null ? undefined : (typeof value as MetadataType);
}

/** The type that a text has where all is text: whole numbers that float64 cannot hold stay strings. */
export function typeOfText(value: MetadataValue): MetadataType | undefined {
  if (typeof value !== 'string') return typeOfValue(value);
  if (truth.test(value)) return 'boolean';
  return number.test(value) && isExact(value) ? 'number' : 'string';
}

/** Whether float64 holds a number in digits, fractions aside. */
export function isExact(digits: string): boolean {
  const value = Number(digits);
  return Number.isFinite(value) && (!/^-?\d+$/.test(digits) || Number.isSafeInteger(value));
}
