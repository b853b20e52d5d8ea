/** phi's files: our own, which name the model they were trained for, and those that the methods' authors published. */

import { z } from 'zod';
import { type Clip, modelFingerprint } from '../clip/index.ts';
import {
  checkedValue,
  LincirError,
  option,
  quoted,
  type RandomAccess,
  readSafetensorsHeader,
  readTensor,
  readTorchCheckpoint,
  type SafetensorsHeader,
  type StoredTensor,
  stateDict,
  type TorchValue,
} from '../core/index.ts';
import { architectures, type PhiArchitecture, phiArchitectures } from './choices.ts';
import { type PhiParameters, type PhiShape, phiParameterShapes, widthLimit } from './network.ts';

/** Facts about a phi, besides its parameters. */
export interface PhiInfo {
  readonly shape: PhiShape;
  /** The model it was trained for: a name on the hub, or a folder. Published files do not say. */
  readonly model?: string;
  /** That model's fingerprint. Published files do not say. */
  readonly fingerprint?: string;
  /** Whether it takes embeddings scaled to length 1. The published ones do not. */
  readonly l2Normalize: boolean;
  /** Steps of its training. */
  readonly step?: number;
}

export interface StoredPhi {
  readonly info: PhiInfo;
  readonly parameters: PhiParameters;
  /** The file that it was read from, as messages call it. */
  readonly file: string;
}

type Tensors = ReadonlyMap<string, StoredTensor>;

const format = 'lincir-phi';
/** Of the metadata in a PyTorch file. */
const metadataKey = 'lincir';
const width = z.coerce.number().int().positive();
const metadataSchema = z
  .object({
    format: z.literal(format),
    version: z.literal('1'),
    architecture: z.enum(phiArchitectures),
    input: width,
    hidden: width,
    output: width,
    model: z.string().optional(),
    fingerprint: z.string().optional(),
    l2Normalize: z.enum(['true', 'false']),
    step: z.coerce.number().int().nonnegative().optional(),
  })
  .transform(
    ({ architecture, input, hidden, output, model, fingerprint, l2Normalize, step }): PhiInfo => ({
      shape: { architecture, input, hidden, output },
      ...(model !== undefined && { model }),
      ...(fingerprint !== undefined && { fingerprint }),
      l2Normalize: l2Normalize === 'true',
      ...(step !== undefined && { step }),
    }),
  );

/** What our own file of a phi holds, as safetensors: its tensors, and metadata with all of `info` as strings. */
export function phiTensors(info: PhiInfo, parameters: PhiParameters) {
  const tensors = [...phiParameterShapes(info.shape)].map(([name, sizes]) => ({
    name,
    type: 'float32' as const,
    shape: sizes,
    data: parameters.get(name)?.data ?? new Float32Array(),
  }));
  return [tensors, Object.fromEntries(metadataOf(info))] as const;
}

/**
 * What a file in the layout of a method's authors holds. Their code takes the dictionary under their own key. The same
 * metadata as in our own files stands beside it, under a key that their code does not ask for.
 * @throws LincirError 'bad-argument' for the layout of another network
 */
export function phiCheckpoint(
  info: PhiInfo,
  parameters: PhiParameters,
  layout: PhiArchitecture,
): ReadonlyMap<string, TorchValue> {
  const { architecture } = info.shape;
  const { published } = architectures[layout];
  if (architectures[architecture] !== architectures[layout]) {
    const fitting = phiArchitectures.filter((name) => architectures[name] === architectures[architecture]);
    throw new LincirError('bad-argument', {
      subject: option<{ readonly layout: string }>('layout', layout),
      expected: `a layout for the network of ${architecture}: ${fitting.join(' or ')}`,
      found: `that of another network, with ${namesOf(layout).join(', ')}`,
    });
  }
  const tensors = new Map([...parameters].map(([name, tensor]) => [published.prefix + name, tensor]));
  return new Map<string, TorchValue>([
    [published.key, tensors],
    [metadataKey, metadataOf(info)],
  ]);
}

function metadataOf({ shape, ...others }: PhiInfo): ReadonlyMap<string, string> {
  const entries = Object.entries({ format, version: 1, ...shape, ...others });
  return new Map(entries.map(([key, value]) => [key, `${value}`]));
}

/**
 * Reads a phi: our own file, safetensors of its parameters alone, or what torch.save wrote of it, as LinCIR, SEARLE
 * and Pic2Word published theirs. Nothing in the file is run.
 * @throws LincirError 'bad-file' for what is not a whole and finite phi; and what reading throws
 */
export async function readPhi(source: RandomAccess): Promise<StoredPhi> {
  const file = source.name;
  const { tensors: found, metadata } = await findTensors(source);
  const tensors = withoutWrapper(found);
  const own = metadata.format === format ? ownInfo(metadata, file) : undefined;
  const shape = shapeOf(tensors, own?.shape.architecture ?? architectureOf(tensors, file), file);
  if (own && described(shape) !== described(own.shape)) {
    throw badPhi(`${file}: metadata`, `the sizes of its tensors, ${described(shape)}`, described(own.shape));
  }
  const parameters = new Map(
    await Promise.all(
      [...phiParameterShapes(shape).keys()].map(async (name) => {
        const tensor = await readTensor(tensors.get(name)!);
        const bad = firstNotFinite(tensor.data);
        if (bad >= 0)
          throw badPhi(`${file}: tensor ${name}`, 'finite values', `${tensor.data[bad]} at ${bad}`);
        return [name, tensor] as const;
      }),
    ),
  );
  return { info: own ?? { shape, l2Normalize: false }, parameters, file };
}

/**
 * Refuses a phi of another model, and names both. For a published phi, only the dimensions can be compared.
 * @throws LincirError 'bad-argument'
 */
export function expectPhiFits(
  { info, file }: Pick<StoredPhi, 'info' | 'file'>,
  { config, fingerprint, id, folder }: Pick<Clip, 'config' | 'fingerprint' | 'id' | 'folder'>,
): void {
  const { shape, model } = info;
  const { text, vision } = config;
  const projection = (text ?? vision)?.projection;
  const tokens = text?.width ?? shape.output; // images alone need no tokens
  const isSame = info.fingerprint === undefined || info.fingerprint === modelFingerprint(fingerprint);
  if (isSame && shape.input === projection && shape.output === tokens) return;
  const dimensions = (from: number | undefined, to: number, print = 'unknown') =>
    `(embeddings of ${from} and tokens of ${to} dimensions, fingerprint ${print})`;
  const name = model === undefined ? 'a model that it does not name' : quoted(model, 200);
  throw new LincirError('bad-argument', {
    subject: file,
    expected: `a phi for ${quoted(id ?? folder, 200)} ${dimensions(projection, tokens, modelFingerprint(fingerprint))}`,
    found: `one for ${name} ${dimensions(shape.input, shape.output, info.fingerprint)}`,
    todo: 'use it with the model that it was trained for, or use another phi',
  });
}

/** A plain loop, because `findIndex` takes six times as long, a good part of loading phi. -1 if all are finite. */
function firstNotFinite(values: Float32Array): number {
  for (let at = 0; at < values.length; at += 1) if (!Number.isFinite(values[at]!)) return at;
  return -1;
}

/** The tensors of a file. Its format shows in its content, not in its name. */
async function findTensors(file: RandomAccess): Promise<SafetensorsHeader> {
  const head = await file.read(0, Math.min(9, file.size));
  const isSafetensors = head[8] === 0x7b; // `{` begins its header
  if (isSafetensors) return await readSafetensorsHeader(file);
  const isZip = head[0] === 0x50 && head[1] === 0x4b;
  const isPickle = head[0] === 0x80; // the reader says what to do about it
  if (isZip || isPickle) {
    const checkpoint = await readTorchCheckpoint(file);
    return { tensors: dictionaryOfPhi(checkpoint, file.name), metadata: metadataIn(checkpoint) };
  }
  throw badPhi(file.name, 'safetensors, or a file that torch.save wrote', 'neither');
}

/** The one dictionary of phi's tensors: the checkpoint itself, or a value in it under any key. */
function dictionaryOfPhi(checkpoint: unknown, file: string): Tensors {
  if (holdsPhi(checkpoint)) return stateDict(checkpoint, file);
  const entries = checkpoint instanceof Map ? [...checkpoint] : [];
  const keys = entries.flatMap(([key, value]) => (typeof key === 'string' && holdsPhi(value) ? [key] : []));
  const [key] = keys;
  if (key !== undefined && keys.length === 1) return stateDict(checkpoint, file, key);
  const all = entries.map(([name]) => String(name)).join(', ');
  const found = keys.length === 0 ? `the keys ${quoted(all)}` : `several, under ${quoted(keys.join(', '))}`;
  throw badPhi(file, "one dictionary of a phi's tensors, such as layers.0.weight", found);
}

/** What we wrote beside the dictionary of phi's tensors. */
function metadataIn(checkpoint: unknown): Readonly<Record<string, string>> {
  const metadata: unknown = checkpoint instanceof Map ? checkpoint.get(metadataKey) : undefined;
  const entries: readonly (readonly [unknown, unknown])[] = metadata instanceof Map ? [...metadata] : [];
  return Object.fromEntries(
    entries.filter(([key, value]) => [key, value].every((part) => typeof part === 'string')),
  );
}

function holdsPhi(value: unknown): boolean {
  return (
    value instanceof Map &&
    phiArchitectures.some((architecture) =>
      namesOf(architecture).some((name) => value.has(name) || value.has(`${wrapper}${name}`)),
    )
  );
}

/** PyTorch's DataParallel puts this before every name. */
const wrapper = 'module.';

function withoutWrapper(tensors: Tensors): Tensors {
  if (![...tensors.keys()].every((name) => name.startsWith(wrapper))) return tensors;
  return new Map([...tensors].map(([name, tensor]) => [name.slice(wrapper.length), tensor]));
}

function ownInfo(metadata: Readonly<Record<string, string>>, file: string): PhiInfo {
  return checkedValue(metadataSchema, metadata, `${file}: metadata`, 'get the file again, or a newer lincir');
}

/** LinCIR's and SEARLE's cannot be told apart, and need not be. */
function architectureOf(tensors: Tensors, file: string): PhiArchitecture {
  const found = phiArchitectures.find((architecture) =>
    namesOf(architecture).some((name) => tensors.has(name)),
  );
  if (found) return found;
  const kinds = phiArchitectures.map((architecture) => `${namesOf(architecture)[0]} (${architecture})`);
  throw badPhi(file, `tensors such as ${kinds.join(', ')}`, quoted([...tensors.keys()].join(', ') || 'none'));
}

/** The shape that the tensors have. All must be there and fit each other, and no others may be. */
function shapeOf(tensors: Tensors, architecture: PhiArchitecture, file: string): PhiShape {
  const names = namesOf(architecture);
  const missing = names.filter((name) => !tensors.has(name));
  const others = [...tensors.keys()].filter((name) => !names.includes(name));
  if (missing.length > 0 || others.length > 0) {
    const found = [
      ...(missing.length > 0 ? [`no ${missing.join(', ')}`] : []),
      ...(others.length > 0 ? [`also ${quoted(others.join(', '))}`] : []),
    ];
    throw badPhi(file, `the tensors ${names.join(', ')}`, found.join(' and '));
  }
  const [hidden, input] = matrixSizes(tensors.get(names.at(0)!)!, file);
  const [output] = matrixSizes(tensors.get(names.at(-2)!)!, file);
  const shape = { architecture, input, hidden, output };
  for (const [name, sizes] of phiParameterShapes(shape)) {
    const found = tensors.get(name)!.shape;
    if (found.join() === sizes.join()) continue;
    const expected = `shape [${sizes.join(', ')}], as ${names.at(0)} and ${names.at(-2)} have it`;
    throw badPhi(`${file}: tensor ${name}`, expected, quoted(`[${found.join(', ')}]`));
  }
  return shape;
}

function matrixSizes({ name, shape }: StoredTensor, file: string): readonly [number, number] {
  const [rows = 0, columns = 0] = shape;
  if (shape.length === 2 && shape.every((size) => size >= 1 && size <= widthLimit)) return [rows, columns];
  const expected = `a matrix of 1 to ${widthLimit} rows and columns`;
  throw badPhi(`${file}: tensor ${name}`, expected, quoted(`[${shape.join(', ')}]`));
}

/** Weight and bias of each layer, first to last. */
function namesOf(architecture: PhiArchitecture): readonly string[] {
  return [...phiParameterShapes({ architecture, input: 1, hidden: 1, output: 1 }).keys()];
}

function described({ architecture, input, hidden, output }: PhiShape): string {
  return `${architecture} with ${input}, ${hidden} and ${output}`;
}

function badPhi(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-file', {
    subject,
    expected,
    found,
    todo: 'get the file again, or another phi',
  });
}
