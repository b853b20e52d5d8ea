/** Makes the pickle of a PyTorch checkpoint: dictionaries of tensors, texts and whole numbers, as torch.save writes them. */
// The opcodes: CPython's Lib/pickletools.py. Protocol 2 is what torch.save takes.

import { elementCount, type Float32Tensor } from './tensors.ts';

/** What a checkpoint may hold. */
export type TorchValue = string | number | Float32Tensor | ReadonlyMap<string, TorchValue>;

const begin = '\x80\x02';
const end = '.';
/** Both push what they name, to be called by `call` with the tuple on top of the stack. */
const orderedDictionary = 'ccollections\nOrderedDict\n';
const rebuildTensor = 'ctorch._utils\n_rebuild_tensor_v2\n';
const floatStorage = 'ctorch\nFloatStorage\n';
const call = 'R';
const emptyTuple = ')';
const no = '\x89';

/**
 * The pickle of `checkpoint`, and the tensors in the order of their storages: the first one's values are the record
 * `data/0`, and so on.
 */
export function pickleCheckpoint(checkpoint: ReadonlyMap<string, TorchValue>) {
  const tensors: Float32Tensor[] = [];
  // A tensor has a storage of its own, whose place the pickle names by a persistent id.
  const pickled = (value: TorchValue): string => {
    if (typeof value === 'string') return text(value);
    if (typeof value === 'number') return wholeNumber(value);
    if (!isTensor(value)) {
      const items = Array.from(value, ([key, item]) => text(key) + pickled(item));
      return `${orderedDictionary}${emptyTuple}${call}(${items.join('')}u`;
    }
    const { shape } = value;
    const key = `${tensors.push(value) - 1}`;
    const count = wholeNumber(elementCount(shape));
    const storage = `${tuple(text('storage'), floatStorage, text(key), text('cpu'), count)}Q`;
    const sizes = tuple(...shape.map(wholeNumber));
    const strides = tuple(...stridesOf(shape).map(wholeNumber));
    const hooks = orderedDictionary + emptyTuple + call;
    return rebuildTensor + tuple(storage, wholeNumber(0), sizes, strides, no, hooks) + call;
  };
  const pickle = begin + pickled(checkpoint) + end;
  return { pickle: Uint8Array.from(pickle, (byte) => byte.charCodeAt(0)), tensors };
}

function isTensor(value: Float32Tensor | ReadonlyMap<string, TorchValue>): value is Float32Tensor {
  return 'shape' in value;
}

function tuple(...items: readonly string[]): string {
  return `(${items.join('')}t`;
}

/** As bytes in UTF-8, one character each, after their number. */
function text(value: string): string {
  const bytes = new TextEncoder().encode(value);
  return `X${uint32(bytes.length)}${String.fromCharCode(...bytes)}`;
}

/** Up to 2^31, which no size of a tensor that fits into memory exceeds. */
function wholeNumber(value: number): string {
  return `J${uint32(value)}`;
}

function uint32(value: number): string {
  return String.fromCharCode(...[0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff));
}

/** Row-major. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}
