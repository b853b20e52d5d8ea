/** Safetensors files: finding their tensors without reading them, and the headers of new files. */
// The format: https://huggingface.co/docs/safetensors (8 bytes of header length, a JSON header, the data).

import { z } from 'zod';

import { checkedValue, listOf, recordOf } from './checked.ts';
import { LincirError, quoted } from './errors.ts';
import { jsonByteLimit, parseJson } from './json.ts';
import type { RandomAccess } from './source.ts';
import { bytesPerElement, type ElementType, elementCount, type StoredTensor } from './tensors.ts';

/** What the header of a safetensors file says. */
export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Element types by the format's names. */
const elementTypes: ReadonlyMap<string, ElementType> = new Map([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['U64', 'uint64'],
  ['I64', 'int64'],
  ['U32', 'uint32'],
  ['I32', 'int32'],
  ['U16', 'uint16'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
]);

const count = z.int('whole numbers').nonnegative('whole numbers from 0 on');
const entrySchema = z.object({
  dtype: z.string(),
  shape: listOf(count),
  data_offsets: z.tuple([count, count]),
});
/** Some writers use null for none. */
const metadataSchema = recordOf(z.string()).nullish();

/** The data begins at a multiple of this, so that it can be mapped into memory. */
const alignment = 64;

/**
 * Reads where each tensor lies. The format demands that tensors cover the file's data exactly: no overlap, no hole, no
 * byte left over. Throws 'bad-file', also for an element type that is not in `ElementType`.
 */
export async function readSafetensorsHeader(file: RandomAccess): Promise<SafetensorsHeader> {
  const headerLength = await readHeaderLength(file);
  const header = parseJson(await file.read(8, headerLength), `${file.name}: header`);
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw badHeader(file, 'a JSON object', 'other JSON');
  }
  const { __metadata__: metadata, ...entries } = header as Readonly<Record<string, unknown>>;
  const tensors = Object.entries(entries).map(([name, entry]) =>
    storedTensor(file, 8 + headerLength, name, entry),
  );
  checkCoverage(file, 8 + headerLength, tensors);

  const strings = checkedValue(metadataSchema, metadata, `${file.name}: __metadata__`);
  return { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata: strings ?? {} };
}

/**
 * The header of a safetensors file with these tensors in this order.
 * @param subject what messages call the file
 * @throws LincirError 'bad-argument' for a name that is used twice
 */
export function safetensorsHeader(
  subject: string,
  tensors: readonly Pick<StoredTensor, 'name' | 'type' | 'shape'>[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const dtypes = new Map([...elementTypes].map(([dtype, type]) => [type, dtype]));
  const entries = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) {
    entries.set('__metadata__', metadata);
  }
  let offset = 0;
  for (const { name, type, shape } of tensors) {
    if (entries.has(name) || name === '__metadata__') {
      const found = `${quoted(name)}, which is taken`;
      throw new LincirError('bad-argument', { subject, expected: 'a new name for each tensor', found });
    }
    const end = offset + elementCount(shape) * bytesPerElement[type];
    entries.set(name, { dtype: dtypes.get(type), shape, data_offsets: [offset, end] });
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const header = new Uint8Array(Math.ceil((8 + json.length) / alignment) * alignment).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(json, 8);
  return header;
}

async function readHeaderLength(file: RandomAccess): Promise<number> {
  if (file.size < 8) {
    throw badHeader(file, 'at least 8 bytes', `a file of ${file.size} bytes`);
  }
  const length = new DataView((await file.read(0, 8)).buffer).getBigUint64(0, true);
  if (length > file.size - 8) {
    const found = `a length of ${length}: the file is cut short, or a Git LFS pointer, or not safetensors`;
    throw badHeader(file, `a header within the file's ${file.size} bytes`, found);
  }
  // The format allows 100 MB. Our limit is enough for 100,000 tensors, and protects memory from a hostile header.
  if (length > jsonByteLimit) {
    throw badHeader(file, `a header of at most ${jsonByteLimit} bytes`, `a header length of ${length}`);
  }
  return Number(length);
}

function storedTensor(file: RandomAccess, dataBegin: number, name: string, entry: unknown): StoredTensor {
  const subject = `${file.name}: tensor ${quoted(name)}`;
  const { dtype, shape, data_offsets } = checkedValue(entrySchema, entry, subject);
  const type = elementTypes.get(dtype);
  if (type === undefined) {
    const expected = `a dtype out of ${[...elementTypes.keys()].join(', ')}`;
    const todo = 'convert such tensors in Python, by tensor.to(torch.float16), and save again';
    throw new LincirError('bad-file', { subject, expected, found: quoted(dtype), todo });
  }
  const [begin, end] = data_offsets;
  if (begin > end || dataBegin + end > file.size) {
    throw new LincirError('bad-file', {
      subject,
      expected: `data_offsets within the ${file.size - dataBegin} bytes of data`,
      found: `[${begin}, ${end}]`,
    });
  }
  // Exact for every size that a file can have. Beyond, it is a large number, Infinity or NaN, which no file fits.
  const byteLength = elementCount(shape) * bytesPerElement[type];
  if (end - begin !== byteLength) {
    throw new LincirError('bad-file', {
      subject,
      expected: `${byteLength} bytes for ${dtype} ${quoted(`[${shape.join(', ')}]`)}`,
      found: `${end - begin} bytes`,
    });
  }
  return { name, type, shape, source: file, offset: dataBegin + begin, byteLength };
}

function checkCoverage(file: RandomAccess, dataBegin: number, tensors: readonly StoredTensor[]): void {
  let covered = dataBegin;
  for (const tensor of tensors.toSorted((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)) {
    if (tensor.offset !== covered) {
      throw new LincirError('bad-file', {
        subject: `${file.name}: tensor ${quoted(tensor.name)}`,
        expected: `data that begins where the one before ends, at ${covered - dataBegin}`,
        found: `${tensor.offset < covered ? 'an overlap' : 'a hole'}: it begins at ${tensor.offset - dataBegin}`,
      });
    }
    covered += tensor.byteLength;
  }
  if (covered !== file.size) {
    throw badHeader(
      file,
      'tensors up to the end of the file',
      `${file.size - covered} bytes after the last one`,
    );
  }
}

function badHeader(file: RandomAccess, expected: string, found: string): LincirError {
  return new LincirError('bad-file', {
    subject: `${file.name}: safetensors header`,
    expected,
    found,
    todo: 'get the file again',
  });
}
