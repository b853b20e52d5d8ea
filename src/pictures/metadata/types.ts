/** The result of metadata's readers: batches of the formats' own values, with their places. */

export type MetadataType = 'string' | 'number' | 'boolean';
export type MetadataValue = string | number | boolean | null;

/** A line of text or a row of a table. */
export interface MetadataRow {
  /** One for each column of the batch. */
  readonly values: readonly MetadataValue[];
  /** Its line or row, from 1. */
  readonly at: number;
}

export interface MetadataBatch {
  /** If the file has no header, those of this batch. */
  readonly columns: readonly string[];
  readonly rows: readonly MetadataRow[];
}

export interface MetadataFormat {
  /** The unit in messages. */
  readonly unit: 'line' | 'row';
  /** The type that a value can have; undefined for null. */
  readonly typeOf: (value: MetadataValue) => MetadataType | undefined;
  /** All rows, some hundreds or thousands at a time. A file without rows gives a batch with its columns. */
  readonly batches: (path: string) => AsyncGenerator<MetadataBatch, void, void>;
}

/** Limit of a value, so that a lost quote, or an image in a column, does not fill the memory. */
export const valueLimit = 2 ** 20;

/** Numbers as people write them. What begins with a zero, such as `007`, is a name. */
const number = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
/** How Python, pandas, R and databases write a number that is missing or not finite. */
const noNumber = /^(?:[+-]?(?:nan|inf|infinity)|#?n\/?a|<na>|null|none)?$/i;
const truth = /^(?:true|false)$/i;

/** The type of a typed value. */
export function typeOfValue(value: MetadataValue): MetadataType | undefined {
  return value === null ? undefined : (typeof value as MetadataType);
}

/** The type of a value in a format that only has texts; undefined if it is null in a column of numbers or booleans. */
export function typeOfText(value: MetadataValue): MetadataType | undefined {
  if (typeof value !== 'string') return typeOfValue(value);
  const text = value.trim();
  if (truth.test(text)) return 'boolean';
  if (noNumber.test(text)) return undefined;
  return number.test(text) ? typeOfValue(numberOf(text)) : 'string';
}

/** A number from digits. Whole numbers that float64 cannot represent, such as ids, are texts; huge ones are null. */
export function numberOf(digits: string): number | string | null {
  const value = Number(digits);
  if (/^[+-]?\d+$/.test(digits)) return Number.isSafeInteger(value) ? value : digits;
  return Number.isFinite(value) ? value : null;
}
