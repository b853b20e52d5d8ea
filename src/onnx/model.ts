/** Writes a graph as an ONNX model: everything that its outputs depend on, with weights left in their files. */

import { type ElementType, LincirError, type StoredTensor } from '../core/index.ts';
import { type Dimension, type Shape, terms } from './dimensions.ts';
import type { Attributes, OperatorName } from './operators.ts';
import {
  type AttributeProto,
  elementTypeCodes,
  encodeModel,
  type GraphProto,
  type TensorProto,
  type ValueInfoProto,
} from './protobuf.ts';
import type { ConstantData, Node, Value } from './values.ts';

export interface Model {
  readonly bytes: Uint8Array;
  readonly inputs: ReadonlyMap<string, Value>;
  /** The folder of all weight files, with a separator at its end; undefined if none is on disk. */
  readonly folder: string | undefined;
  /** Weights that are not in this folder, by the names of their files in the model. */
  readonly weights: ReadonlyMap<string, StoredTensor>;
}

/** Operators outside ONNX's own set. */
export const contributed: readonly OperatorName[] = [
  'Gelu',
  'FastGelu',
  'QuickGelu',
  'MultiHeadAttention',
  'RotaryEmbedding',
  'MatMulIntegerToFloat',
];
/** Attributes whose numbers are floats; all other numbers are integers. */
const floatAttributes: ReadonlySet<string> = new Set(['alpha', 'epsilon', 'scale']);
/** Attributes that shape rules alone read. */
const ownAttributes: ReadonlySet<string> = new Set(['count']);

/** Builds the model that computes `outputs`, named by their keys. */
export function buildModel(outputs: Readonly<Record<string, Value>>): Model {
  const folder = commonFolder([...dependencies(Object.values(outputs)).values]);
  const weights = new Map<string, StoredTensor>();
  const { graph, inputs } = graphOf(outputs, (value, name) => ({
    name,
    tensor: initializer(name, value, folder, weights),
  }));
  const opsetImport = [
    { domain: '', version: 20 },
    { domain: 'com.microsoft', version: 1 },
  ];
  const bytes = encodeModel({ irVersion: 9, producerName: 'lincir', opsetImport, graph });
  return { bytes, inputs, folder, weights };
}

/**
 * The graph of `outputs`, and its inputs.
 * @param initializerOf a constant or a weight: its name, and the tensor that the graph has of it. `name` is one that is free
 */
export function graphOf(
  outputs: Readonly<Record<string, Value>>,
  initializerOf: (value: Value, name: string) => { readonly name: string; readonly tensor?: TensorProto },
): { readonly graph: GraphProto; readonly inputs: ReadonlyMap<string, Value> } {
  const graph: GraphProto = { name: 'lincir', node: [], initializer: [], input: [], output: [] };
  const { nodes, values } = dependencies(Object.values(outputs));
  const sources = [...values].filter(({ origin }) => origin.kind !== 'result');
  const names = new Map<Value, string>();
  const inputs = new Map<string, Value>();

  for (const source of sources) {
    const { origin } = source;
    if (origin.kind === 'input') {
      if (inputs.has(origin.name)) throw ambiguous(`input '${origin.name}'`, 'one input of that name', 'two');
      inputs.set(origin.name, source);
      names.set(source, origin.name);
      graph.input.push(valueInfo(origin.name, source));
    } else {
      const { name, tensor } = initializerOf(source, `${origin.kind}:${names.size}`);
      names.set(source, name);
      if (tensor) graph.initializer.push(tensor);
    }
  }

  const sizes = sizeWriter(graph, inputs);
  for (const [index, node] of nodes.entries()) {
    if (node.operator === 'Dimensions') {
      names.set(node.outputs[0]!, sizes((node.attributes as Attributes['Dimensions']).sizes));
      continue;
    }
    const name = `${node.operator}:${index}`;
    // Outputs after the last one that something uses need not be computed.
    const wanted = node.outputs.slice(0, node.outputs.findLastIndex((output) => values.has(output)) + 1);
    for (const [position, output] of wanted.entries()) {
      names.set(output, position === 0 ? name : `${name}:${position}`);
    }
    graph.node.push({
      opType: node.operator,
      domain: contributed.includes(node.operator) ? 'com.microsoft' : '',
      name,
      input: inputNames(node, names),
      output: wanted.map((output) => names.get(output)!),
      attribute: Object.entries(node.attributes)
        .filter(([key]) => !ownAttributes.has(key))
        .map(([key, value]) => attribute(key, value)),
    });
  }
  for (const [name, value] of Object.entries(outputs)) {
    if (inputs.has(name))
      throw ambiguous(`output '${name}'`, 'a name that no input has', 'an input of that name');
    graph.node.push({
      opType: 'Identity',
      domain: '',
      name: `output:${name}`,
      input: [names.get(value)!],
      output: [name],
      attribute: [],
    });
    graph.output.push(valueInfo(name, value));
  }
  return { graph, inputs };
}

function ambiguous(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-argument', { subject, expected, found, todo: 'choose another name' });
}

/** What the outputs depend on: nodes, each after those it needs, and all used values, including the outputs. */
export function dependencies(outputs: readonly Value[]): { nodes: Node[]; values: ReadonlySet<Value> } {
  const nodes = new Set<Node>();
  const values = new Set<Value>();
  const pending = outputs.map((value) => ({ value, inputsDone: false })).reverse();
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { value, inputsDone } = next;
    values.add(value);
    if (value.origin.kind !== 'result') continue;
    if (inputsDone) {
      nodes.add(value.origin.node);
    } else if (!nodes.has(value.origin.node)) {
      const inputs = value.origin.node.inputs.map((input) => ({ value: input, inputsDone: false })).reverse();
      pending.push({ value, inputsDone: true }, ...inputs);
    }
  }
  return { nodes: [...nodes], values };
}

/**
 * Writes int64 vectors of sizes. Each symbol is read from the first input that has it. Returns a function from sizes to
 * the name of their vector.
 */
function sizeWriter(graph: GraphProto, inputs: ReadonlyMap<string, Value>): (sizes: Shape) => string {
  const written = new Map<string, string>();
  const once = (key: string, write: (name: string) => void): string => {
    if (!written.has(key)) {
      written.set(key, key);
      write(key);
    }
    return key;
  };
  const node = (opType: string, input: string[], output: string, attributes: AttributeProto[] = []): void => {
    graph.node.push({ opType, domain: '', name: output, input, output: [output], attribute: attributes });
  };
  const numbers = (values: readonly number[]): string =>
    once(`sizes:${values}`, (name) => {
      const rawData = bytesOf(BigInt64Array.from(values, BigInt));
      graph.initializer.push({ name, dims: [values.length], dataType: elementTypeCodes.int64, rawData });
    });
  const symbol = (name: string): string =>
    once(`size:${name}`, (output) => {
      for (const [inputName, { shape }] of inputs) {
        const axis = shape.indexOf(name);
        if (axis < 0) continue;
        const range = [attribute('start', axis), attribute('end', axis + 1)];
        return node('Shape', [inputName], output, range);
      }
      throw new LincirError('bad-argument', {
        subject: `size '${name}'`,
        expected: 'an input of the graph that has it',
        found: `inputs ${[...inputs.keys()].join(', ') || '(none)'}`,
      });
    });
  const product = (coefficient: number, symbols: readonly string[]): string => {
    const factors = symbols.map(symbol);
    if (coefficient !== 1 || factors.length === 0) factors.unshift(numbers([coefficient]));
    return combine('Mul', factors);
  };
  const combine = (opType: string, parts: readonly string[]): string =>
    parts.reduce((left, right) =>
      once(`(${left} ${opType} ${right})`, (name) => node(opType, [left, right], name)),
    );
  const single = (size: Dimension): string =>
    typeof size === 'number'
      ? numbers([size])
      : combine(
          'Add',
          terms(size).map(({ coefficient, symbols }) => product(coefficient, symbols)),
        );

  return (sizes) => {
    if (sizes.every((size) => typeof size === 'number')) return numbers(sizes);
    if (sizes.length === 1) return single(sizes[0]!);
    return once(`sizes:${sizes}`, (name) => node('Concat', sizes.map(single), name, [attribute('axis', 0)]));
  };
}

/** Attention's bias is its sixth input, and that of a product of whole numbers its seventh; no others leave inputs out. */
function inputNames({ operator, inputs }: Node, names: ReadonlyMap<Value, string>): string[] {
  const given = inputs.map((input) => names.get(input)!);
  if (operator === 'MultiHeadAttention' && given.length === 4) return given.toSpliced(3, 0, '', '');
  return operator === 'MatMulIntegerToFloat' ? given.toSpliced(5, 0, '') : given;
}

function attribute(name: string, value: number | string | readonly number[]): AttributeProto {
  if (name === 'to') return { name, type: 2, i: elementTypeCodes[value as ElementType] };
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if (typeof value !== 'number') return { name, type: 7, ints: value };
  return floatAttributes.has(name) ? { name, type: 1, f: value } : { name, type: 2, i: value };
}

/** A constant's data, or the place of a weight: in a file below `folder`, or in `weights`. */
function initializer(
  name: string,
  value: Value,
  folder: string | undefined,
  weights: Map<string, StoredTensor>,
): TensorProto {
  const { origin } = value;
  if (origin.kind === 'constant') return constantTensor(name, value);
  if (origin.kind !== 'weight') throw new TypeError(`${origin.kind} is no initializer`);
  const { source, offset, byteLength } = origin.stored;
  const external = { location: `weight-${weights.size}`, offset: '0', length: `${byteLength}` };
  if (folder === undefined) {
    weights.set(external.location, origin.stored);
  } else {
    const location = source.realPath!.slice(folder.length);
    external.location = folder.endsWith('/') ? location : location.replaceAll('\\', '/');
    external.offset = `${offset}`;
  }
  const externalData = Object.entries(external).map(([key, value]) => ({ key, value }));
  return { ...tensorHead(name, value), dataLocation: 1, externalData };
}

/** A constant with its data. */
export function constantTensor(name: string, value: Value): TensorProto {
  if (value.origin.kind !== 'constant') throw new TypeError(`${value.origin.kind} has no data`);
  return { ...tensorHead(name, value), rawData: bytesOf(value.origin.data) };
}

/** A tensor without its data. */
export function tensorHead(name: string, { type, shape }: Value) {
  return { name, dims: shape.map(Number), dataType: elementTypeCodes[type] };
}

function valueInfo(name: string, { type, shape }: Value): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: elementTypeCodes[type], shape: { dim } } } };
}

function bytesOf(data: ConstantData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * The deepest folder with the files of all weights, with a separator at its end, because ONNX Runtime only reads below one
 * folder. Undefined if there are no weights, or if one is not in a file: then it reads none itself.
 */
function commonFolder(values: readonly Value[]): string | undefined {
  const paths = values.flatMap(({ origin }) =>
    origin.kind === 'weight' ? [origin.stored.source.realPath] : [],
  );
  const [first] = paths;
  if (first === undefined) return undefined;
  const separator = first.startsWith('/') ? '/' : '\\';
  const parts = first.split(separator).slice(0, -1);
  const folders = parts.map((_, index) => parts.slice(0, index + 1).join(separator) + separator);
  return folders.findLast((folder) => paths.every((path) => path?.startsWith(folder)));
}
