/** Holds a model's towers against the outputs of transformers that were recorded beside it, in reference.safetensors. */

import { join } from 'node:path';
import {
  openTowers,
  type Parameter,
  parametersOf,
  type TextConfig,
  textInputs,
  textTower,
  tokenBatches,
  type VisionConfig,
  visionInput,
  visionTower,
} from '../src/clip/index.ts';
import { readSafetensorsHeader } from '../src/core/index.ts';
import { folderFiles, readingFile, singleFile } from '../src/files/index.ts';
import { gradients, input, mul, reduceSum, Session, type SessionOptions } from '../src/onnx/index.ts';

/** Largest absolute differences, relative to the largest entry. */
export interface TowerErrors {
  text?: number;
  /** The same texts, padded with zeros instead of end-of-text ids. */
  zeroPadded?: number;
  /** Texts with vectors in place of words, and the gradient with respect to these. */
  injected?: number;
  gradient?: number;
  image?: number;
}

/**
 * Runs both towers of the model in `folder`; texts in batches of at most `budget` positions.
 * @param file the model's only file there
 */
export async function towerErrors(
  folder: string,
  budget: number,
  options: SessionOptions = {},
  file?: string,
): Promise<TowerErrors> {
  const { config, checkpoint } = await openTowers(
    file ? await singleFile(join(folder, file)) : folderFiles(folder),
  );
  const { text, vision } = config;
  const parameter = parametersOf(checkpoint.tensors);
  const reference = await readReference(join(folder, 'reference.safetensors'));
  return {
    ...(text && (await textErrors(text, parameter, reference, budget, options))),
    ...(vision && (await imageError(vision, parameter, reference, options))),
  };
}

async function textErrors(
  config: TextConfig,
  parameter: Parameter,
  reference: Reference,
  budget: number,
  options: SessionOptions,
): Promise<TowerErrors> {
  const { width, projection } = config;
  const inputs = textInputs(config);
  const embeddings = textTower(inputs, config, parameter);
  const cotangent = input('cotangent', 'float32', ['batch', projection]);
  const [gradient] = gradients(reduceSum(mul(embeddings, cotangent), [0, 1]), [inputs.injected]);

  const forward = await Session.create({ embeddings }, options);
  const plainError = async (name: string): Promise<number> => {
    const batches = tokenBatches(
      reference.rows(name).map((ids) => ({ ids })),
      config,
      budget,
    );
    const found: Found[] = [];
    for (const { members, feeds } of batches) {
      found.push({ members, data: (await forward.run<'embeddings'>(feeds)).embeddings.data });
    }
    return relativeError(inOrder(found, projection), reference.floats('text_embeds'));
  };
  const errors = {
    text: await plainError('ids'),
    ...(reference.has('ids_zero_padded') && { zeroPadded: await plainError('ids_zero_padded') }),
  };
  await forward.dispose();

  const places = reference.rows('placeholder_positions') as [row: number, position: number][];
  const vectors = reference.floats('injected');
  const rows = reference.rows('ids').map((ids, row) => ({
    ids,
    injected: places.flatMap(([placed, position], at) =>
      placed === row ? [{ position, vector: vectors.subarray(at * width, (at + 1) * width) }] : [],
    ),
  }));
  const backward = await Session.create({ embeddings, gradient: gradient! }, options);
  const found: Found[] = [];
  const foundGradients: Found[] = [];
  for (const { members, feeds } of tokenBatches(rows, config, budget)) {
    const data = pick(reference.floats('cotangent'), members, projection);
    const cotangents = { shape: [members.length, projection], data };
    const result = await backward.run<'embeddings' | 'gradient'>({ ...feeds, cotangent: cotangents });
    const injections = members.flatMap((row) => [...places.keys()].filter((at) => places[at]![0] === row));
    found.push({ members, data: result.embeddings.data });
    foundGradients.push({ members: injections, data: result.gradient.data });
  }
  await backward.dispose();
  return {
    ...errors,
    injected: relativeError(inOrder(found, projection), reference.floats('injected_text_embeds')),
    gradient: relativeError(inOrder(foundGradients, width), reference.floats('injected_gradient')),
  };
}

async function imageError(
  config: VisionConfig,
  parameter: Parameter,
  reference: Reference,
  options: SessionOptions,
): Promise<TowerErrors> {
  const embeddings = visionTower(visionInput(config), config, parameter);
  const session = await Session.create({ embeddings }, options);
  const { channels, imageSize } = config;
  const data = reference.floats('pixel_values');
  const shape = [data.length / (channels * imageSize ** 2), channels, imageSize, imageSize];
  const found = await session.run<'embeddings'>({ pixels: { shape, data } });
  await session.dispose();
  return { image: relativeError(found.embeddings.data, reference.floats('image_embeds')) };
}

/** Rows of a result and which rows they are. */
interface Found {
  readonly members: readonly number[];
  readonly data: Float32Array;
}

/** Rows that came in batches, put where they belong. */
function inOrder(batches: readonly Found[], width: number): Float32Array {
  const count = batches.reduce((sum, { members }) => sum + members.length, 0);
  const result = new Float32Array(count * width);
  for (const { members, data } of batches) {
    members.forEach((row, at) => {
      result.set(data.subarray(at * width, (at + 1) * width), row * width);
    });
  }
  return result;
}

function pick(data: Float32Array, rows: readonly number[], width: number): Float32Array {
  const result = new Float32Array(rows.length * width);
  rows.forEach((row, at) => {
    result.set(data.subarray(row * width, (row + 1) * width), at * width);
  });
  return result;
}

function relativeError(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length)
    throw new Error(`${found.length} values instead of ${expected.length}`);
  let difference = 0;
  let largest = 0;
  for (const [index, value] of expected.entries()) {
    difference = Math.max(difference, Math.abs(found[index]! - value));
    largest = Math.max(largest, Math.abs(value));
  }
  return difference / largest;
}

interface Reference {
  has(name: string): boolean;
  floats(name: string): Float32Array;
  /** The rows of an int64 matrix, without the -1 that fill them up. */
  rows(name: string): number[][];
}

function readReference(path: string): Promise<Reference> {
  return readingFile(path, async (file) => {
    const { tensors } = await readSafetensorsHeader(file);
    const buffers = new Map<string, ArrayBuffer>();
    for (const [name, { offset, byteLength }] of tensors) {
      buffers.set(name, (await file.read(offset, byteLength)).buffer);
    }
    return {
      has: (name) => tensors.has(name),
      floats: (name) => new Float32Array(buffers.get(name)!),
      rows: (name) => {
        const [rows, columns] = tensors.get(name)!.shape as [number, number];
        const values = Array.from(new BigInt64Array(buffers.get(name)!), Number);
        return Array.from({ length: rows }, (_, row) =>
          values.slice(row * columns, (row + 1) * columns).filter((value) => value >= 0),
        );
      },
    };
  });
}
