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

/** An image has no value as long: a lost quote, or an image in a column, is not to fill the memory. */
export const valueLimit = 2 ** 20;

/** Numbers as people write them: what begins with a zero, as `007` does, is a name. */
const number = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
/** What Python, pandas, R and databases write for a number that is missing, or is not finite. */
const noNumber = /^(?:[+-]?(?:nan|inf|infinity)|#?n\/?a|<na>|null|none)?$/i;
const truth = /^(?:true|false)$/i;

/** The type of a value that says its own. */
export function typeOfValue(value: MetadataValue): MetadataType | undefined {
  return value === null ? undefined : (typeof value as MetadataType);
}

/** The type that a text has where all is text; undefined for one that is null in a column of numbers or booleans. */
export function typeOfText(value: MetadataValue): MetadataType | undefined {
  if (typeof value !== 'string') return typeOfValue(value);
  const text = value.trim();
  if (truth.test(text)) return 'boolean';
  if (noNumber.test(text)) return undefined;
  return number.test(text) ? typeOfValue(numberOf(text)) : 'string';
}

/** What a number in digits is: whole ones that float64 cannot hold, such as many services' ids, are text, huge ones null. */
export function numberOf(digits: string): number | string | null {
  const value = Number(digits);
  if (/^[+-]?\d+$/.test(digits)) return Number.isSafeInteger(value) ? value : digits;
  return Number.isFinite(value) ? value : null;
}
