/** Checks what a page of a Parquet file says about its values, before hyparquet takes memory or time for them. */

import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import { areSoundRuns, varint } from './checks.ts';
import type { ColumnDecoder, PageHeader } from './pages.ts';

/** Writers divide a block of numbers into 4 or 8 parts. */
const blockPartsLimit = 2 ** 12;
const bytesPerValue: Readonly<Record<string, number>> = { INT32: 4, FLOAT: 4, INT64: 8, DOUBLE: 8 };

export function isWithin(value: number | undefined, limit: number): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= limit;
}

/** The part of a header for its type. */
export function detailsOf(header: PageHeader) {
  if (header.type === 'DICTIONARY_PAGE') return header.dictionary_page_header;
  return header.type === 'DATA_PAGE' ? header.data_page_header : v2Of(header);
}

export function v2Of(header: PageHeader) {
  return header.type === 'DATA_PAGE_V2' ? header.data_page_header_v2 : undefined;
}

export function levelsEnd(v2: NonNullable<PageHeader['data_page_header_v2']>): number {
  return v2.repetition_levels_byte_length + v2.definition_levels_byte_length;
}

/**
 * Returns where the values of an unpacked data page begin. Throws if its runs or values would fill the memory.
 * @param limit bytes for values that are stored as differences from the one before
 */
export function checkValues(
  header: PageHeader,
  page: Uint8Array,
  { type, element, schemaPath }: ColumnDecoder,
  limit: number,
): number {
  const v2 = v2Of(header);
  const { num_values: count, encoding } = (v2 ?? header.data_page_header)!;
  if (v2 !== undefined && !isWithin(v2.num_nulls, count)) throw new RangeError(`${v2.num_nulls} nulls`);
  const begin = checkLevels(header, page, schemaPath);
  const values = page.subarray(begin);
  if (encoding.endsWith('_DICTIONARY')) {
    const width = values[0] ?? 0;
    if (width > 32 || !areSoundRuns(values.subarray(1), width, count))
      throw new RangeError('endless indices');
  } else if (encoding === 'RLE') {
    if (type !== 'BOOLEAN' || !areSoundRuns(values.subarray(4), 1, count))
      throw new RangeError('endless runs');
  } else if (encoding === 'BYTE_STREAM_SPLIT') {
    const width = bytesPerValue[type] ?? element.type_length ?? 0;
    if (values.length % width !== 0 || values.length / width > count)
      throw new RangeError('values cut short');
  } else if (encoding === 'DELTA_BINARY_PACKED') {
    const blockSize = varint(values, 0);
    const parts = varint(values, blockSize.end);
    if (values.length > 0 && parts.value > blockPartsLimit) throw new RangeError('endless blocks');
  } else if (encoding === 'DELTA_BYTE_ARRAY') {
    checkPrefixes(values, v2 ? count - v2.num_nulls : count, limit);
  } else if (encoding !== 'PLAIN' && encoding !== 'DELTA_LENGTH_BYTE_ARRAY') {
    throw new TypeError(`the encoding ${encoding}`);
  }
  return begin;
}

/** Where the levels end. They say where in lists and structures a value is. */
function checkLevels(header: PageHeader, page: Uint8Array, schemaPath: ColumnDecoder['schemaPath']): number {
  const v2 = v2Of(header);
  const details = v2 === undefined ? header.data_page_header : undefined;
  const kinds = [
    [
      getMaxRepetitionLevel(schemaPath),
      v2?.repetition_levels_byte_length,
      details?.repetition_level_encoding,
    ],
    [
      getMaxDefinitionLevel(schemaPath),
      v2?.definition_levels_byte_length,
      details?.definition_level_encoding,
    ],
  ] as const;
  let at = 0;
  for (const [max, length, encoding] of kinds) {
    if (max > 0) {
      if (encoding === 'BIT_PACKED') throw new TypeError('levels from before Parquet 1.0');
      const begin = length === undefined ? at + 4 : at;
      const width = 32 - Math.clz32(max);
      const { num_values: count } = (v2 ?? header.data_page_header)!;
      if (!areSoundRuns(page.subarray(begin), width, count)) throw new RangeError('endless levels');
      at = begin + (length ?? Buffer.from(page.buffer, page.byteOffset).readUInt32LE(at));
    } else {
      at += length ?? 0;
    }
  }
  return at;
}

/** Each of these values is a prefix of the one before, and its own suffix. */
function checkPrefixes(values: Uint8Array, most: number, limit: number): void {
  if (values.length === 0) return;
  const reader = { view: new DataView(values.buffer, values.byteOffset, values.byteLength), offset: 0 };
  // The number of values without nulls is the third in both lists of lengths.
  const count = varint(values, varint(values, varint(values, 0).end).end).value;
  if (!isWithin(count, most)) throw new RangeError(`${count} values`);
  const [prefixes, suffixes] = [new Int32Array(count), new Int32Array(count)];
  deltaBinaryUnpack(reader, count, prefixes);
  deltaBinaryUnpack(reader, count, suffixes);
  let total = 0;
  let before = 0;
  for (const [index, prefix] of prefixes.entries()) {
    const suffix = suffixes[index]!;
    if (!isWithin(prefix, before) || !isWithin(suffix, values.length))
      throw new RangeError('values cut short');
    before = prefix + suffix;
    total += before;
  }
  if (total > limit) throw new RangeError(`${total} bytes of values`);
}
