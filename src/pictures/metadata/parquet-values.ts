/** Turns values of Parquet's types into metadata as pyarrow does: numbers, booleans and texts. */

import type { SchemaElement } from 'hyparquet';
import { DEFAULT_PARSERS, parseFloat16 } from 'hyparquet/src/convert.js';
import { notUtf8, textOf } from '../../tables/index.ts';
import { type MetadataValue, numberOf } from './types.ts';

export { notUtf8 };

type Scalar = MetadataValue | typeof notUtf8;

const millisecondsPerDay = 86_400_000;
const julianEpoch = 2_440_588n;
const nanosecondsPerDay = 86_400_000_000_000n;
/** Digits of fractions of a second. */
const digitsOf: Readonly<Record<string, number>> = { MILLIS: 3, MICROS: 6, NANOS: 9 };

/** The column under another type, for which hyparquet gives all values to one parser. */
export function relabelled(element: SchemaElement): SchemaElement {
  const { logical_type, ...rest } = element;
  return { ...rest, converted_type: 'TIMESTAMP_MILLIS' };
}

/** Turns a column's values into metadata. */
export function parsersFor(element: SchemaElement) {
  const parse = parserOf(element);
  return {
    ...DEFAULT_PARSERS,
    timestampFromMilliseconds: (value: unknown) => parse(value) as unknown as Date,
  };
}

/** A value as metadata: lists and structures as JSON text, with null for what is missing. */
export function scalarOf(value: unknown): Scalar {
  if (value === undefined || value === null || value === notUtf8) return value ?? null;
  if (typeof value !== 'object') return value as MetadataValue;
  let isText = true;
  const json = JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === notUtf8) isText = false;
    return inner === undefined ? null : inner;
  });
  return isText ? json : notUtf8;
}

/** INT32 and FLOAT come as numbers, INT64 and INT96 as bigints, byte arrays as bytes. */
function parserOf({
  type,
  converted_type,
  logical_type,
  scale = 0,
}: SchemaElement): (value: unknown) => Scalar {
  const kind = logical_type?.type ?? converted_type;
  const unit =
    (logical_type && 'unit' in logical_type ? logical_type.unit : converted_type?.split('_').at(-1)) ?? '';
  const digits = digitsOf[unit] ?? 0;
  if (kind === 'DECIMAL') {
    const places = logical_type && 'scale' in logical_type ? logical_type.scale : scale;
    return (value) => numberOf(decimalText(integerOf(value), places));
  }
  if (kind === 'DATE') return (value) => dateText(Number(value) * millisecondsPerDay)?.slice(0, 10) ?? null;
  if (kind?.startsWith('TIMESTAMP')) {
    const isLocal = logical_type && 'isAdjustedToUTC' in logical_type && !logical_type.isAdjustedToUTC;
    return (value) => timestampText(integerOf(value), digits, isLocal ? '' : 'Z');
  }
  if (type === 'INT96') return (value) => timestampText(nanosecondsOf(value as bigint), 9, '');
  if (kind?.startsWith('TIME')) {
    return (value) => timestampText(integerOf(value), digits, '')?.slice('1970-01-01T'.length) ?? null;
  }
  if (kind === 'FLOAT16') return (value) => finite(parseFloat16(value as Uint8Array)!);
  if (kind === 'UUID') return (value) => DEFAULT_PARSERS.uuidFromBytes(value as Uint8Array);
  if (kind === 'UINT_32' || isUnsigned(logical_type, 32)) return (value) => Number(value) >>> 0;
  if (kind === 'UINT_64' || isUnsigned(logical_type, 64)) {
    return (value) => numberOf(String(BigInt.asUintN(64, value as bigint)));
  }
  const isText = ['UTF8', 'STRING', 'ENUM', 'JSON'].includes(kind ?? '');
  return (value) => {
    if (typeof value === 'number') return finite(value);
    if (typeof value === 'bigint') return numberOf(String(value));
    if (!(value instanceof Uint8Array)) return value as boolean;
    if (isText) return textOf(value);
    // Old writers do not mark the byte arrays that are text.
    const text = type === 'BYTE_ARRAY' ? textOf(value) : notUtf8;
    return text === notUtf8 ? Buffer.from(value).toString('hex') : text;
  };
}

function isUnsigned(logical: SchemaElement['logical_type'], bits: number): boolean {
  return logical?.type === 'INTEGER' && logical.bitWidth === bits && !logical.isSigned;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** A whole number in bytes, the highest first, as in decimals of many digits. */
function integerOf(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint);
  return BigInt.asIntN(8 * value.length, BigInt(`0x0${Buffer.from(value).toString('hex')}`));
}

function decimalText(value: bigint, places: number): string {
  const sign = value < 0n ? '-' : '';
  const digits = String(value < 0n ? -value : value).padStart(places + 1, '0');
  const [whole, fraction] = [digits.slice(0, digits.length - places), digits.slice(digits.length - places)];
  return `${sign}${whole}${/[1-9]/.test(fraction) ? `.${fraction}` : ''}`;
}

/** Julian days, with the nanoseconds of the day in the lower bytes. */
function nanosecondsOf(value: bigint): bigint {
  return ((value >> 64n) - julianEpoch) * nanosecondsPerDay + BigInt.asUintN(64, value);
}

/** As ISO 8601: with milliseconds, or with all digits if these are not enough. */
function timestampText(value: bigint, digits: number, zone: string): string | null {
  const perMillisecond = 10n ** BigInt(Math.max(0, digits - 3));
  const rest = ((value % perMillisecond) + perMillisecond) % perMillisecond;
  const milliseconds = digits === 0 ? value : (value - rest) / perMillisecond;
  const text = dateText(Number(milliseconds))?.slice(0, -1);
  const more =
    rest === 0n
      ? ''
      : String(rest)
          .padStart(digits - 3, '0')
          .replace(/(?<=^...)000$/, '');
  return text === undefined ? null : `${text}${more}${zone}`;
}

function dateText(milliseconds: number): string | undefined {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
