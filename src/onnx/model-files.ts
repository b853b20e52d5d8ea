/** A graph as a model for others' programs: of ONNX's own operators alone, with its weights in it, or in one file beside it. */

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
import { constantTensor, contributed, graphOf, tensorHead } from './model.ts';
import type { OperatorName } from './operators.ts';
import * as op from './operators.ts';
import { withPlainOperators } from './plain.ts';
import { encodeAround, type TensorHead } from './protobuf.ts';
import { rewritten } from './rewrite.ts';
import { type Value, weight } from './values.ts';

export interface StandaloneOptions {
  /** How weights of two axes or more are stored. The model computes in float32 all the same. Default: 'float32'. */
  readonly precision?: WeightPrecision;
  /** What the model says of itself, for programs. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The most bytes of a file with its weights. Default: what protobuf allows, with room to spare. */
  readonly limit?: number;
}

export interface ModelFile {
  readonly name: string;
  readonly byteLength: number;
  /** Its bytes in pieces. Each is made when it is asked for. */
  bytes(): AsyncGenerator<Uint8Array, void, void>;
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
 * The model that computes `outputs`, named by their keys, as files for one folder: the model, called `name`, and a second one,
 * `NAME_data`, if it would be too large with its weights.
 * @throws LincirError 'bad-argument' for weights that float16 cannot hold, when these are asked for
 */
export function modelFiles(
  name: string,
  outputs: Readonly<Record<string, Value>>,
  { precision = 'float32', metadata = {}, limit = protobufLimit }: StandaloneOptions = {},
): readonly ModelFile[] {
  const plain = withFactorsInProducts(withPlainOperators(outputs, contributed, true));
  const weights: { readonly head: TensorHead; readonly stored: StoredTensor; readonly byteLength: number }[] =
    [];
  const { graph } = graphOf(withWeightsIn(plain, precision), (value, free) => {
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
  const location = `${name}_data`;
  let end = 0;
  const places = weights.map(({ byteLength }) => {
    const offset = Math.ceil(end / page) * page;
    end = offset + byteLength;
    return offset;
  });
  for (const [at, { head, byteLength }] of weights.entries()) {
    const entries = { location, offset: `${places[at]}`, length: `${byteLength}` };
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    graph.initializer.push({ ...head, dataLocation: 1, externalData });
  }
  const pieces = encodeAround(model, []);
  return [
    fileOf(name, lengthOf(pieces), async function* () {
      yield* pieces;
    }),
    fileOf(location, end, async function* () {
      let written = 0;
      for (const [at, { stored, byteLength }] of weights.entries()) {
        yield new Uint8Array(places[at]! - written);
        yield* dataOf(stored);
        written = places[at]! + byteLength;
      }
    }),
  ];
}

function fileOf(name: string, byteLength: number, bytes: ModelFile['bytes']): ModelFile {
  return { name, byteLength, bytes };
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

async function* dataOf({ source, offset, byteLength }: StoredTensor): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < byteLength; at += pieceLength) {
    yield await source.read(offset + at, Math.min(pieceLength, byteLength - at));
  }
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
