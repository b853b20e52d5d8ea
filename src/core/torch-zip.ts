/** PyTorch checkpoints (the zip files of torch.save since 1.6, and of torch.jit.save): finds their tensors, and runs nothing. */

import { LincirError, quoted } from './errors.ts';
import { isPickleGlobal, keyLengthLimit, PickledObject, unpickle } from './pickle.ts';
import type { RandomAccess } from './source.ts';
import {
  bytesPerElement,
  type ElementType,
  elementCount,
  isContiguous,
  type StoredTensor,
} from './tensors.ts';
import { readZipEntries, type ZipEntry } from './zip.ts';

/** A block of elements. Tensors are views of it. */
interface Storage {
  /** Its entry in the zip. */
  readonly record: string;
  readonly type: ElementType;
  readonly count: number;
  readonly offset: number;
}

const storageTypes: ReadonlyMap<string, ElementType> = new Map([
  ['torch.DoubleStorage', 'float64'],
  ['torch.FloatStorage', 'float32'],
  ['torch.HalfStorage', 'float16'],
  ['torch.BFloat16Storage', 'bfloat16'],
  ['torch.LongStorage', 'int64'],
  ['torch.IntStorage', 'int32'],
  ['torch.ShortStorage', 'int16'],
  ['torch.CharStorage', 'int8'],
  ['torch.ByteStorage', 'uint8'],
  ['torch.BoolStorage', 'bool'],
]);

/** What a checkpoint may name besides tensors, such as the precision of training. */
const dtypes = ['float64', 'float32', 'float16', 'bfloat16', 'int64', 'int32', 'uint8', 'bool'].map(
  (name) => `torch.${name}`,
);

/** Allows hundreds of bytes for each tensor: enough for any state_dict. */
const pickleByteLimit = 2 ** 26;
/** Limit for the elements of an expanded tensor, which repeats the same ones. */
const expandedLimit = 2 ** 24;
/** PyTorch's own. */
const dimensionLimit = 64;

/** A TorchScript archive's programs, which nothing reads. They are compressed. */
const programs = /^[^/]+\/(code|extra)\//;
/** Tensors and modules within modules: many times as many as a CLIP has. */
const partLimit = 100_000;

/**
 * Reads what was saved as plain values: dictionaries as Maps, lists and tuples as arrays, tensors as StoredTensors with
 * the names of their storages, a TorchScript archive's modules as PickledObjects. Reads no tensor's data. Throws 'bad-file', also for whatever would make Python call
 * anything but what rebuilds tensors.
 */
export async function readTorchCheckpoint(file: RandomAccess): Promise<unknown> {
  const [first] = await file.read(0, Math.min(1, file.size));
  if (first === 0x80) {
    throw new LincirError('bad-file', {
      subject: file.name,
      expected: 'a PyTorch file in the zip format',
      found: 'a bare pickle, as PyTorch wrote before 1.6',
      todo: 'load it in Python and write it again with torch.save, or with safetensors',
    });
  }
  const entries = await readZipEntries(file, (name) => !programs.test(name));
  const pickles = [...entries].filter(([name]) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw badCheckpoint(file, 'one data.pkl in one folder', `${pickles.length} of them`);
  }
  const [name, { offset, size }] = pickle;
  const folder = name.slice(0, -'data.pkl'.length);
  await checkByteOrder(file, entries.get(`${folder}byteorder`));
  if (size > pickleByteLimit) {
    throw badCheckpoint(file, `a data.pkl of at most ${pickleByteLimit} bytes`, `${size} bytes`);
  }
  return unpickleTensors(file, await file.read(offset, size), folder, entries);
}

/**
 * The tensors of a checkpoint's dictionary by their names, or of the dictionary under `key`. Other values, such as a
 * step number, are left out. Throws 'bad-file' when there is no such dictionary.
 */
export function stateDict(checkpoint: unknown, subject: string, key?: string): Map<string, StoredTensor> {
  const dictionary = key !== undefined && checkpoint instanceof Map ? checkpoint.get(key) : checkpoint;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of dictionary instanceof Map ? dictionary : []) {
    if (typeof name === 'string' && isStoredTensor(value)) {
      tensors.set(name, { ...value, name });
    }
  }
  if (tensors.size === 0) {
    const keys = checkpoint instanceof Map ? [...checkpoint.keys()].filter((k) => typeof k === 'string') : [];
    throw new LincirError('bad-file', {
      subject,
      expected:
        key === undefined ? 'a dictionary of tensors' : `a dictionary of tensors under ${quoted(key)}`,
      found: keys.length > 0 ? `the keys ${quoted(keys.slice(0, 20).join(', '))}` : 'no dictionary',
    });
  }
  return tensors;
}

/**
 * The tensors of a TorchScript module by their paths, as its `state_dict()` has them; undefined for any other checkpoint.
 * Throws 'bad-file' for modules without an end.
 */
export function moduleTensors(checkpoint: unknown, subject: string): Map<string, StoredTensor> | undefined {
  if (!(checkpoint instanceof PickledObject)) return undefined;
  const tensors = new Map<string, StoredTensor>();
  const modules: [path: string, module: PickledObject][] = [['', checkpoint]];
  let parts = 0;
  for (const [path, { attributes }] of modules) {
    for (const [key, value] of attributes) {
      if (typeof key !== 'string') continue;
      parts += 1;
      const name = `${path}${key}`;
      if (parts > partLimit || name.length > keyLengthLimit) {
        throw new LincirError('bad-file', {
          subject,
          expected: 'the modules of a model',
          found: 'modules without an end',
        });
      }
      if (value instanceof PickledObject) modules.push([`${name}.`, value]);
      else if (isStoredTensor(value)) tensors.set(name, { ...value, name });
    }
  }
  return tensors;
}

/** Reads the values of a checkpoint's pickle. `entries` says where the zip's entries lie. */
export function unpickleTensors(
  file: RandomAccess,
  pickle: Uint8Array,
  folder: string,
  entries: ReadonlyMap<string, ZipEntry>,
): unknown {
  const subject = `${file.name}: data.pkl`;
  const bad = (expected: string, found: string) => new LincirError('bad-file', { subject, expected, found });

  const persistent = (id: unknown): Storage => {
    const [kind, storageType, key, , count] = Array.isArray(id) ? id : [];
    const type = isPickleGlobal(storageType) ? storageTypes.get(storageType.global) : undefined;
    if (kind !== 'storage' || type === undefined || !isKey(key) || !isCount(count)) {
      throw bad('the description of a storage', 'something else');
    }
    const record = `${folder}data/${key}`;
    const entry = entries.get(record);
    if (entry === undefined) {
      throw bad(`an entry ${quoted(record)}`, 'none');
    }
    if (entry.size !== count * bytesPerElement[type]) {
      throw bad(`${count} elements of ${type} in ${quoted(record)}`, `${entry.size} bytes`);
    }
    return { record, type, count, offset: entry.offset };
  };

  const rebuildTensor = ([storage, start, shape, strides]: readonly unknown[]): StoredTensor => {
    const isView = isStorage(storage) && isCount(start) && isShape(shape) && isShape(strides);
    if (!isView || shape.length !== strides.length) {
      throw bad('a storage, an offset, a shape and as many strides', 'something else');
    }
    const { record, type } = storage;
    const count = elementCount(shape);
    const span = count === 0 ? 0 : shape.reduce((end, size, axis) => end + (size - 1) * strides[axis]!, 1);
    if (!(start + span <= storage.count)) {
      const found = `${span} from ${start} on`;
      throw bad(`a tensor in the ${storage.count} elements of ${quoted(record)}`, found);
    }
    if (count > Math.max(storage.count, expandedLimit)) {
      throw bad(`at most ${expandedLimit} elements out of ${quoted(record)}`, `${count}`);
    }
    return {
      name: record,
      type,
      shape,
      ...(count > 0 && !isContiguous(shape, strides) && { strides }),
      source: file,
      offset: storage.offset + start * bytesPerElement[type],
      byteLength: span * bytesPerElement[type],
    };
  };

  const rebuildParameter = ([tensor]: readonly unknown[]): StoredTensor => {
    if (!isStoredTensor(tensor)) {
      throw bad('a parameter that holds a tensor', 'something else');
    }
    return tensor;
  };

  return unpickle(pickle, {
    subject,
    persistent,
    classes: '__torch__.',
    globals: new Map([
      ['collections.OrderedDict', () => new Map()],
      ['torch.Size', ([sizes]: readonly unknown[]) => sizes],
      ['torch._utils._rebuild_tensor_v2', rebuildTensor],
      ['torch._utils._rebuild_parameter', rebuildParameter],
      ['torch._utils._rebuild_parameter_with_state', rebuildParameter],
      // How TorchScript writes lists of numbers, and values whose type Python would not know.
      ['torch.jit._pickle.build_intlist', ([items]: readonly unknown[]) => items],
      ['torch.jit._pickle.build_doublelist', ([items]: readonly unknown[]) => items],
      ['torch.jit._pickle.build_boollist', ([items]: readonly unknown[]) => items],
      ['torch.jit._pickle.build_tensorlist', ([items]: readonly unknown[]) => items],
      ['torch.jit._pickle.restore_type_tag', ([value]: readonly unknown[]) => value],
      ['torch.device', ([kind]: readonly unknown[]) => kind],
      ['_codecs.encode', ([text]: readonly unknown[]) => text],
      ['builtins.set', ([items]: readonly unknown[]) => items],
      ['__builtin__.set', ([items]: readonly unknown[]) => items],
      ...[...storageTypes.keys(), ...dtypes].map((name) => [name, undefined] as const),
    ]),
  });
}

async function checkByteOrder(file: RandomAccess, entry: ZipEntry | undefined): Promise<void> {
  // Files from before PyTorch 2.1 have no such entry.
  if (entry === undefined) {
    return;
  }
  const order = new TextDecoder().decode(await file.read(entry.offset, Math.min(entry.size, 16)));
  if (order !== 'little') {
    throw badCheckpoint(file, 'little-endian data', `the byte order ${quoted(order)}`);
  }
}

function isStoredTensor(value: unknown): value is StoredTensor {
  return typeof value === 'object' && value !== null && 'byteLength' in value;
}

function isStorage(value: unknown): value is Storage {
  return typeof value === 'object' && value !== null && 'record' in value;
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && value.length <= keyLengthLimit;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Accepts tuples, which are frozen, but no lists: a pickle could change those afterwards. */
function isShape(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) && Object.isFrozen(value) && value.length <= dimensionLimit && value.every(isCount)
  );
}

function badCheckpoint(file: RandomAccess, expected: string, found: string): LincirError {
  return new LincirError('bad-file', {
    subject: file.name,
    expected,
    found,
    todo: 'use a file that torch.save wrote',
  });
}
