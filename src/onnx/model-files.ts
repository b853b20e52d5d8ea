/** A graph as a model for others' programs: of ONNX's own operators alone, with its weights in it, or in files beside it. */

import {
  bytesPerElement,
  elementCount,
  type FloatType,
  halfOf,
  isFloatType,
  LincirError,
  type StoredTensor,
  toFloat32,
} from '../core/index.ts';
import type { WeightPrecision } from './choices.ts';
import { withFactorsInProducts } from './factors.ts';
import { withHalfProducts } from './half.ts';
import { constantTensor, contributed, graphOf, tensorHead } from './model.ts';
import type { OperatorName } from './operators.ts';
import * as op from './operators.ts';
import { withPlainOperators } from './plain.ts';
import { encodeAround, type TensorHead } from './protobuf.ts';
import { rewritten } from './rewrite.ts';
import { type Value, weight } from './values.ts';

export interface StandaloneOptions {
  /** What weights of two axes or more are stored in, and products computed. Inputs and outputs are float32. Default: 'float32'. */
  readonly precision?: WeightPrecision;
  /** What the model says of itself, for programs. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The most bytes of a file, unless a single weight has more. Default: what protobuf allows, with room to spare. */
  readonly limit?: number;
}

export interface ModelFile {
  readonly name: string;
  readonly byteLength: number;
  /** Its bytes in pieces. Each is made when it is asked for. */
  bytes(): AsyncGenerator<Uint8Array, void, void>;
}

/** A weight whose data is not in memory. */
interface LargeTensor {
  readonly head: TensorHead;
  readonly stored: StoredTensor;
  readonly byteLength: number;
}

/** A file with weights beside a model. */
interface Part {
  readonly location: string;
  /** Its length so far. */
  end: number;
  readonly tensors: (LargeTensor & { readonly offset: number })[];
}

/** Protobuf's messages have less than 2 GiB. */
const protobufLimit = 2 ** 31 - 2 ** 20;
/** What every runtime since 2022 reads: the first operator set with LayerNormalization, and the format of its time. */
const [operatorSet, irVersion] = [17, 8];
/** Bytes that are in memory at once. */
const pieceLength = 2 ** 23;
/** Weights beside a model begin at multiples of a page, so that they can be mapped into memory. */
const page = 4096;

/**
 * The model that computes `outputs`, named by their keys, as files for one folder: the model, called `name`; and if it would be
 * too large with its weights, files with these: `NAME_data`, `NAME_data_1` and so on, as transformers.js numbers them.
 * @throws LincirError 'bad-argument' for weights that float16 cannot hold, when these are asked for
 */
export function modelFiles(
  name: string,
  outputs: Readonly<Record<string, Value>>,
  { precision = 'float32', metadata = {}, limit = protobufLimit }: StandaloneOptions = {},
): readonly ModelFile[] {
  const weights: LargeTensor[] = [];
  const { graph } = graphOf(inPrecision(outputs, precision), (value, free) => {
    if (value.origin.kind !== 'weight') return { name: free, tensor: constantTensor(free, value) };
    const { stored } = value.origin;
    const known = weights.some(({ head }) => head.name === stored.name)
      ? `${stored.name}:${free}`
      : stored.name;
    weights.push({ head: tensorHead(known, value), stored, byteLength: stored.byteLength });
    return { name: known };
  });
  const model = {
    ...{ irVersion, producerName: 'lincir', opsetImport: [{ domain: '', version: operatorSet }] },
    ...{ metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })), graph },
  };
  const around = encodeAround(model, weights);
  const total = weights.reduce((sum, { byteLength }) => sum + byteLength, lengthOf(around));
  if (total <= limit) {
    return [
      fileOf(name, total, async function* () {
        for (const [at, piece] of around.entries()) {
          yield piece;
          if (weights[at]) yield* dataOf(weights[at].stored);
        }
      }),
    ];
  }
  const parts = partsOf(name, weights, limit);
  for (const { location, tensors } of parts) {
    for (const { head, offset, byteLength } of tensors) {
      const entries = { location, offset: `${offset}`, length: `${byteLength}` };
      const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
      graph.initializer.push({ ...head, dataLocation: 1, externalData });
    }
  }
  const pieces = encodeAround(model, []);
  return [
    fileOf(name, lengthOf(pieces), async function* () {
      yield* pieces;
    }),
    ...parts.map(({ location, end, tensors }) =>
      fileOf(location, end, async function* () {
        let written = 0;
        for (const { stored, offset, byteLength } of tensors) {
          yield new Uint8Array(offset - written);
          yield* dataOf(stored);
          written = offset + byteLength;
        }
      }),
    ),
  ];
}

function fileOf(name: string, byteLength: number, bytes: ModelFile['bytes']): ModelFile {
  return { name, byteLength, bytes };
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** Files beside a model, below the limit if each weight is: browsers' arrays have 2 GiB at most. */
function partsOf(name: string, weights: readonly LargeTensor[], limit: number): readonly Part[] {
  const parts: Part[] = [];
  for (const weight of weights) {
    const last = parts.at(-1);
    const offset = Math.ceil((last?.end ?? 0) / page) * page;
    if (last && offset + weight.byteLength <= limit) {
      last.tensors.push({ ...weight, offset });
      last.end = offset + weight.byteLength;
    } else {
      const location = `${name}_data${last ? `_${parts.length}` : ''}`;
      parts.push({ location, end: weight.byteLength, tensors: [{ ...weight, offset: 0 }] });
    }
  }
  return parts;
}

async function* dataOf({ source, offset, byteLength }: StoredTensor): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < byteLength; at += pieceLength) {
    yield await source.read(offset + at, Math.min(pieceLength, byteLength - at));
  }
}

/** The same outputs of plain operators, from weights as they are to be stored. */
function inPrecision(
  outputs: Readonly<Record<string, Value>>,
  precision: WeightPrecision,
): Record<string, Value> {
  if (precision === 'float16')
    return withHalfProducts(withWeightsIn(withPlainOperators(outputs, contributed), precision));
  return withWeightsIn(withFactorsInProducts(withPlainOperators(outputs, contributed, true)), precision);
}

/** The same outputs, from weights as they are to be stored. What changes their type when a session is made is left out. */
function withWeightsIn(
  outputs: Readonly<Record<string, Value>>,
  precision: WeightPrecision,
): Record<string, Value> {
  const made = new Map<Value, Value>();
  const asStored = (value: Value): Value => {
    const { origin, shape } = value;
    if (origin.kind !== 'weight' || !isFloatType(value.type)) return value;
    const type = shape.length > 1 ? precision : 'float32';
    const known = made.get(value);
    const found =
      known ?? op.cast(weight(converted(origin.stored, value.type, type), shape.map(Number)), 'float32');
    made.set(value, found);
    return found;
  };
  return rewritten(outputs, ({ operator, attributes }, inputs) => {
    const taken = inputs.map(asStored);
    if (taken.every((value, at) => value === inputs[at])) return undefined;
    return operator === 'Cast' ? [taken[0]!] : op.apply<OperatorName>(operator, taken, attributes);
  });
}

/** A weight in another type, converted piece by piece when it is read. */
function converted(stored: StoredTensor, from: FloatType, to: WeightPrecision): StoredTensor {
  if (from === to) return stored;
  const { source, offset, name } = stored;
  const [width, newWidth] = [bytesPerElement[from], bytesPerElement[to]];
  const byteLength = elementCount(stored.shape) * newWidth;
  const read = async (at: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = await source.read(offset + (at / newWidth) * width, (length / newWidth) * width);
    const values = toFloat32(from, bytes.buffer);
    return new Uint8Array(to === 'float32' ? (values.buffer as ArrayBuffer) : halves(values, stored).buffer);
  };
  return {
    ...stored,
    type: to,
    source: { name: `${source.name}: ${name}`, size: byteLength, read },
    offset: 0,
    byteLength,
  };
}

function halves(values: Float32Array, { name, source }: StoredTensor): Uint16Array<ArrayBuffer> {
  const found = new Uint16Array(values.length);
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at]!;
    found[at] = halfOf(value);
    if ((found[at]! & 0x7fff) !== 0x7c00 || !Number.isFinite(value)) continue;
    throw new LincirError('bad-argument', {
      subject: `${source.name}: tensor ${name}`,
      expected: 'weights that float16 can hold',
      found: `${value}`,
      todo: 'export it in float32',
    });
  }
  return found;
}
