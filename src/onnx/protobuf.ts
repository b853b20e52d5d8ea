/** ONNX's wire format: the messages and fields that this package writes (onnx/onnx.proto, IR version 10). */

import protobuf from 'protobufjs/minimal.js';
import { encodeMessage, type MessageFields } from './wire.ts';

/** Messages as plain objects. Field numbers are those of onnx.proto. */
interface ModelProto {
  irVersion: number;
  producerName: string;
  opsetImport: { domain: string; version: number }[];
  metadataProps?: { key: string; value: string }[];
  graph: GraphProto;
}

export interface GraphProto {
  name: string;
  node: NodeProto[];
  initializer: TensorProto[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
}

interface NodeProto {
  opType: string;
  domain: string;
  name: string;
  input: string[];
  output: string[];
  attribute: AttributeProto[];
}

export type AttributeProto = { name: string } & (
  | { type: 1; f: number }
  | { type: 2; i: number }
  | { type: 3; s: Uint8Array }
  | { type: 7; ints: readonly number[] }
);

export interface TensorHead {
  name: string;
  dims: readonly number[];
  dataType: number;
}

export type TensorProto = TensorHead &
  ({ rawData: Uint8Array } | { dataLocation: 1; externalData: { key: string; value: string }[] });

export interface ValueInfoProto {
  name: string;
  type: { tensorType: { elemType: number; shape: { dim: ({ dimValue: number } | { dimParam: string })[] } } };
}

/** TensorProto.DataType */
export const elementTypeCodes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

export function encodeModel(model: ModelProto): Uint8Array {
  return encodeMessage(messages, 'ModelProto', model);
}

/**
 * The bytes of a model around large tensors, whose data need not be in memory: each piece stands before the data of one tensor.
 * Without tensors, it is one piece, the whole model.
 * @param tensors besides those in the model
 */
export function encodeAround(
  { graph, ...model }: ModelProto,
  tensors: readonly { readonly head: TensorHead; readonly byteLength: number }[],
): Uint8Array[] {
  const heads = tensors.map(({ head, byteLength }) => {
    const tensor = encodeMessage(messages, 'TensorProto', head);
    const begin = fieldOf(rawData, byteLength);
    return joined([fieldOf(initializer, tensor.length + begin.length + byteLength), ...[tensor, begin]]);
  });
  const others = encodeMessage(messages, 'GraphProto', graph);
  const length = tensors.reduce(
    (sum, { byteLength }, at) => sum + heads[at]!.length + byteLength,
    others.length,
  );
  // The order of fields is free.
  const begin = joined([encodeMessage(messages, 'ModelProto', model), fieldOf(graphField, length), others]);
  const [first = new Uint8Array(), ...rest] = heads;
  return [joined([begin, first]), ...rest];
}

/** Field numbers of ModelProto, GraphProto and TensorProto. */
const [graphField, initializer, rawData] = [7, 5, 9];
/** Of fields that begin with their length. */
const delimited = 2;

function fieldOf(id: number, length: number): Uint8Array {
  return protobuf.Writer.create()
    .uint32((id << 3) | delimited)
    .uint32(length)
    .finish();
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const repeated = { rule: 'repeated' } as const;

const messages: MessageFields = {
  ModelProto: {
    irVersion: { id: 1, type: 'int64' },
    producerName: { id: 2, type: 'string' },
    graph: { id: 7, type: 'GraphProto' },
    opsetImport: { id: 8, type: 'OperatorSetIdProto', ...repeated },
    metadataProps: { id: 14, type: 'StringStringEntryProto', ...repeated },
  },
  OperatorSetIdProto: { domain: { id: 1, type: 'string' }, version: { id: 2, type: 'int64' } },
  GraphProto: {
    node: { id: 1, type: 'NodeProto', ...repeated },
    name: { id: 2, type: 'string' },
    initializer: { id: 5, type: 'TensorProto', ...repeated },
    input: { id: 11, type: 'ValueInfoProto', ...repeated },
    output: { id: 12, type: 'ValueInfoProto', ...repeated },
  },
  NodeProto: {
    input: { id: 1, type: 'string', ...repeated },
    output: { id: 2, type: 'string', ...repeated },
    name: { id: 3, type: 'string' },
    opType: { id: 4, type: 'string' },
    attribute: { id: 5, type: 'AttributeProto', ...repeated },
    domain: { id: 7, type: 'string' },
  },
  AttributeProto: {
    name: { id: 1, type: 'string' },
    f: { id: 2, type: 'float' },
    i: { id: 3, type: 'int64' },
    s: { id: 4, type: 'bytes' },
    ints: { id: 8, type: 'int64', ...repeated },
    type: { id: 20, type: 'int32' },
  },
  TensorProto: {
    dims: { id: 1, type: 'int64', ...repeated },
    dataType: { id: 2, type: 'int32' },
    name: { id: 8, type: 'string' },
    rawData: { id: 9, type: 'bytes' },
    externalData: { id: 13, type: 'StringStringEntryProto', ...repeated },
    dataLocation: { id: 14, type: 'int32' },
  },
  StringStringEntryProto: { key: { id: 1, type: 'string' }, value: { id: 2, type: 'string' } },
  ValueInfoProto: { name: { id: 1, type: 'string' }, type: { id: 2, type: 'TypeProto' } },
  TypeProto: { tensorType: { id: 1, type: 'TensorTypeProto' } },
  TensorTypeProto: { elemType: { id: 1, type: 'int32' }, shape: { id: 2, type: 'TensorShapeProto' } },
  TensorShapeProto: { dim: { id: 1, type: 'DimensionProto', ...repeated } },
  DimensionProto: { dimValue: { id: 1, type: 'int64' }, dimParam: { id: 2, type: 'string' } },
};
