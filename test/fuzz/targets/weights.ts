/** Files of weights and arrays: each tensor that comes out lies in the file. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VisionConfig } from '../../../src/clip/config.ts';
import { readSites, sitesBytes } from '../../../src/clip/int8/kept-sites.ts';
import { placesIn, type Site } from '../../../src/clip/int8/sites.ts';
import {
  bytesPerElement,
  elementCount,
  openCheckpoint,
  readNpyHeader,
  readSafetensorsHeader,
  readTorchCheckpoint,
  type StoredTensor,
} from '../../../src/core/index.ts';
import { moduleTensors, unpickleTensors } from '../../../src/core/torch-zip.ts';
import { readZipEntries } from '../../../src/core/zip.ts';
import { folderFiles, VectorCache, writeNpy } from '../../../src/files/index.ts';
import { memoryFile, safetensorsBytes } from '../memory-file.ts';
import { filled, jsonOf, jsonTokens, ofFile, type Target } from '../target.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

const header = {
  __metadata__: { format: 'pt' },
  weight: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
  bias: { dtype: 'BF16', shape: [3], data_offsets: [24, 30] },
  empty: { dtype: 'I64', shape: [0, 7], data_offsets: [30, 30] },
  scalar: { dtype: 'U8', shape: [], data_offsets: [30, 31] },
};

/** Puts the right length before a header that was changed, with `dataLength` bytes behind it. */
export function safetensorsRepair(dataLength: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    const end = Math.max(8, bytes.length - dataLength);
    const data = bytes.subarray(end);
    const whole = safetensorsBytes(Buffer.from(bytes.subarray(8, end)).toString('latin1'), data.length);
    whole.set(data, whole.length - data.length);
    return whole;
  };
}

export const safetensorsTokens: readonly string[] = [
  ...jsonTokens,
  ...['"F16"', '"F64"', '"BF16"', '"U8"', '"shape"', '"data_offsets"'],
];

const zipTokens = ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07', '../', 'data/'];

export async function weightTargets(folder: string) {
  const checkpoint = await readFile(join(fixtures, 'torch/checkpoint.pt'));
  const file = memoryFile(checkpoint, 'checkpoint.pt');
  const entries = await readZipEntries(file);
  const pickle = entries.get('checkpoint/data.pkl') ?? { offset: 0, size: 0 };
  const archive = await readFile(join(fixtures, 'tiny-openai/ViT-tiny.pt'));
  const programs = await readZipEntries(memoryFile(archive), (name) => !name.includes('/code/'));
  const modules = programs.get('whole/data.pkl') ?? { offset: 0, size: 0 };
  const array = join(folder, 'a.npy');
  await filled(folder, { 'a.npy': '' });
  await writeNpy(
    array,
    [3, 2],
    (async function* () {
      yield new Float32Array(6);
    })(),
  );
  const vectors = join(folder, 'vectors');
  const cache = await VectorCache.open(join(folder, 'made'), 3);
  await cache.add(['a', 'b'], Float32Array.of(1, 2, 3, 4, 5, 6));
  const vectorFile = '00000000-0000-4000-8000-000000000000.safetensors';
  const [made] = await Array.fromAsync((await import('node:fs/promises')).glob('*', { cwd: cache.folder }));
  const cacheSeed = await readFile(join(cache.folder, made!));
  await filled(vectors, { [vectorFile]: cacheSeed });
  const shards = await filled(join(folder, 'shards'), {
    'model-1.safetensors': safetensorsBytes({ a: header.weight }, 24),
    'model-2.safetensors': safetensorsBytes({ b: header.weight }, 24),
  });
  return {
    safetensors: {
      covers: ['core/safetensors.ts', 'core/json.ts', 'core/checked.ts'],
      seeds: [safetensorsBytes(header, 31)],
      repair: safetensorsRepair(31),
      tokens: safetensorsTokens,
      read: async (bytes) =>
        expectWithin((await readSafetensorsHeader(memoryFile(bytes))).tensors, bytes.length),
    },
    'safetensors-index': {
      covers: ['core/checkpoint.ts'],
      seeds: [jsonOf({ metadata: {}, weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors' } })],
      tokens: [...jsonTokens, 'model-1.safetensors', '..', '\\'],
      read: ofFile(shards, 'model.safetensors.index.json', () => openCheckpoint(folderFiles(shards))),
    },
    'torch-zip': {
      covers: ['core/torch-zip.ts', 'core/zip.ts'],
      seeds: [checkpoint, await readFile(join(fixtures, 'torch/state_dict.bin'))],
      tokens: zipTokens,
      read: async (bytes) => expectWithin(await readTorchCheckpoint(memoryFile(bytes)), bytes.length),
    },
    pickle: {
      covers: ['core/pickle.ts'],
      seeds: [checkpoint.subarray(pickle.offset, pickle.offset + pickle.size)],
      tokens: [...'.()]}NQRabestuqhjrcXKMJG\x80\x85\x86\x87\x8a\x93\x94', 'cos\nsystem\n'],
      read: async (bytes) =>
        expectWithin(unpickleTensors(file, bytes, 'checkpoint/', entries), checkpoint.length),
    },
    'torch-script': {
      covers: ['core/pickle.ts', 'core/torch-zip.ts'],
      seeds: [archive.subarray(modules.offset, modules.offset + modules.size)],
      tokens: [...'.)}Qbusq(hjcX\x81\x85', 'c__torch__.a\nB\n)\x81', 'cos\nsystem\n'],
      read: async (bytes) => {
        const read = unpickleTensors(memoryFile(archive), bytes, 'whole/', programs);
        expectWithin(moduleTensors(read, 'archive'), archive.length);
      },
    },
    npy: {
      covers: ['core/npy.ts'],
      seeds: [await readFile(array)],
      tokens: [..."{}():,' L", "'descr'", "'<f2'", "'shape': ", 'False', '(1,)', '\x93NUMPY\x02\0'],
      read: (bytes) => readNpyHeader(memoryFile(bytes)),
    },
    'vector-cache': {
      covers: ['files/vector-cache.ts', 'search/inversion-cache.ts', 'benchmarks/embed-images.ts'],
      seeds: [cacheSeed],
      repair: safetensorsRepair(88),
      tokens: safetensorsTokens,
      read: ofFile(vectors, vectorFile, async () => {
        const found = await VectorCache.open(vectors, 3);
        if (found.has('a')) await found.read([['a', 0]], new Float32Array(3));
      }),
    },
    'int8-scales': {
      covers: ['clip/int8/kept-sites.ts', 'files/kept.ts'],
      seeds: [sitesBytes(roundedSites)],
      repair: safetensorsRepair(scaleBytes),
      tokens: [...safetensorsTokens, 'encoder.layers.0.mlp.fc2:', 'mean', 'grid', 'shift', 'scale'],
      read: async (bytes) => expectScales(await readSites(memoryFile(bytes), smallTower, 127)),
    },
  } satisfies Record<string, Target>;
}

const smallTower: VisionConfig = {
  ...{ width: 2, feedForward: 3, heads: 1, layers: 1, activation: 'gelu', epsilon: 1e-5, projection: 2 },
  ...{ imageSize: 2, patchSize: 1, channels: 3 },
};
const roundedSites = placesIn(smallTower).map(
  (place): Site => ({
    ...place,
    mean: new Float32Array(place.width),
    scales: {
      grid: { step: 0.5, zero: 128 },
      reach: 127,
      scale: new Float32Array(place.width).fill(2),
      shift: place.norm ? new Float32Array(place.width) : undefined,
    },
  }),
);
const scaleBytes = 4 * roundedSites.reduce((sum, { width, norm }) => sum + 2 + width * (norm ? 3 : 2), 0);

/** Whatever a file holds, scales are numbers that a tower can be rounded with. */
function expectScales(sites: readonly Site[]): void {
  for (const { width, mean, scales } of sites) {
    const { grid, shift = mean, scale = Float32Array.of(1) } = scales;
    const isGood =
      [...mean, ...shift].every(Number.isFinite) &&
      mean.length === width &&
      [grid.step, ...scale].every((value) => value > 0 && value < Number.POSITIVE_INFINITY) &&
      [...Array(256).keys()].includes(grid.zero);
    if (!isGood) throw new Error(`scales ${JSON.stringify(scales)}`);
  }
}

/** Looks through all values that were read, which may be deep, shared, and hold themselves. */
function expectWithin(read: unknown, fileSize: number): void {
  const seen = new Set<unknown>([read]);
  for (const value of seen) {
    if (value instanceof Map || Array.isArray(value)) {
      for (const item of value.values()) seen.add(item);
    } else if (typeof value === 'object' && value !== null && 'byteLength' in value) {
      const { type, shape, strides, offset, byteLength } = value as StoredTensor;
      const fits = offset >= 0 && offset + byteLength <= fileSize;
      const last = strides?.reduce((sum, stride, axis) => sum + stride * (shape[axis]! - 1), 0);
      const count = last === undefined || shape.includes(0) ? elementCount(shape) : last + 1;
      if (!fits || byteLength !== count * bytesPerElement[type]) {
        throw new Error(`a tensor of [${shape}] at ${offset} with ${byteLength} bytes in ${fileSize}`);
      }
    }
  }
}
