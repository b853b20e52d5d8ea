/** A seeded fuzzer: a mutated weight file reads as tensors that lie in it, or throws a LincirError, at once. */
// Run: node test/fuzz/readers.ts [files per reader] [random seed]
// What fails is kept in test/fixtures/corrupt, and replayed by the tests.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  bytesPerElement,
  elementCount,
  LincirError,
  readSafetensorsHeader,
  readTorchCheckpoint,
  type StoredTensor,
} from '../../src/core/index.ts';
import { unpickleTensors } from '../../src/core/torch-zip.ts';
import { readZipEntries } from '../../src/core/zip.ts';
import { memoryFile, safetensorsBytes } from './memory-file.ts';

/** A reader under test. */
export interface Target {
  readonly name: string;
  /** A valid file. */
  readonly seed: Uint8Array;
  /** The size of the file in which the tensors lie, if that is not the seed itself. */
  readonly fileSize?: number;
  /** What bytes of this format are made of: put in at random, and sought as places to change. */
  readonly tokens: readonly string[];
  /** Makes a changed file whole enough that a reader looks past its first check. */
  readonly repair?: (bytes: Uint8Array) => Uint8Array;
  /** Reads `bytes` as a file and gives back all that came out. */
  readonly read: (bytes: Uint8Array) => Promise<unknown>;
}

export interface Finding {
  readonly target: string;
  readonly bytes: Uint8Array;
  readonly reason: string;
}

export const corruptFolder = join(import.meta.dirname, '../fixtures/corrupt');
const checkpointFile = join(import.meta.dirname, '../fixtures/torch/checkpoint.pt');

/** What reading one file may take. */
const millisecondLimit = 1000;
const heapByteLimit = 2 ** 28;

const safetensorsHeader = {
  __metadata__: { format: 'pt' },
  weight: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
  bias: { dtype: 'BF16', shape: [3], data_offsets: [24, 30] },
  empty: { dtype: 'I64', shape: [0, 7], data_offsets: [30, 30] },
  scalar: { dtype: 'U8', shape: [], data_offsets: [30, 31] },
};
const safetensorsDataLength = 31;

export async function makeTargets(): Promise<readonly Target[]> {
  const checkpoint = await readFile(checkpointFile);
  const file = memoryFile(checkpoint, 'checkpoint.pt');
  const entries = await readZipEntries(file);
  const pickle = entries.get('checkpoint/data.pkl') ?? { offset: 0, size: 0 };
  return [
    {
      name: 'safetensors',
      seed: safetensorsBytes(safetensorsHeader, safetensorsDataLength),
      repair: (bytes) => {
        const header = Buffer.from(bytes.subarray(8, Math.max(8, bytes.length - safetensorsDataLength)));
        return safetensorsBytes(header.toString('latin1'), safetensorsDataLength);
      },
      tokens: [...'",:[]{}-', '1e308', '0.5', '9007199254740993', 'null', '"F16"', '"__proto__":'],
      read: async (bytes) => (await readSafetensorsHeader(memoryFile(bytes))).tensors,
    },
    {
      name: 'torch-zip',
      seed: checkpoint,
      tokens: ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07', '../', 'data/'],
      read: (bytes) => readTorchCheckpoint(memoryFile(bytes)),
    },
    {
      name: 'pickle',
      seed: checkpoint.subarray(pickle.offset, pickle.offset + pickle.size),
      fileSize: checkpoint.length,
      tokens: [...'.()]}NQRabestuqhjrcXKMJG\x80\x85\x86\x87\x8a\x93\x94', 'cos\nsystem\n'],
      read: async (bytes) => unpickleTensors(file, bytes, 'checkpoint/', entries),
    },
  ];
}

/** Reads `count` mutations of the target's seed. The same `randomSeed` gives the same files. */
export async function fuzz(target: Target, count: number, randomSeed: number): Promise<Finding[]> {
  const random = randomNumbers(randomSeed);
  const findings: Finding[] = [];
  for (let index = 0; index < count; index += 1) {
    const bytes = mutate(target, random);
    const reason = await judge(target, bytes);
    if (reason !== undefined) {
      findings.push({ target: target.name, bytes, reason });
    }
  }
  return findings;
}

/** Why reading these bytes went wrong, or undefined: to refuse them with a LincirError is right. */
export async function judge(target: Target, bytes: Uint8Array): Promise<string | undefined> {
  const begin = performance.now();
  const heapBefore = process.memoryUsage().heapUsed;
  let problem: string | undefined;
  try {
    problem = misplacedTensor(await target.read(bytes), target.fileSize ?? bytes.length);
  } catch (error) {
    const isClear = error instanceof LincirError && error.message.length < 1000;
    problem = isClear ? undefined : `not a clear LincirError: ${String(error).slice(0, 200)}`;
  }
  const milliseconds = performance.now() - begin;
  if (milliseconds > millisecondLimit) {
    return `took ${milliseconds} ms`;
  }
  const heapBytes = process.memoryUsage().heapUsed - heapBefore;
  return heapBytes > heapByteLimit ? `took ${heapBytes} bytes of heap` : problem;
}

/** Looks through all values that were read, which may be deep, shared, and hold themselves. */
function misplacedTensor(read: unknown, fileSize: number): string | undefined {
  const seen = new Set<unknown>([read]);
  for (const value of seen) {
    if (value instanceof Map) {
      value.forEach((item) => void seen.add(item));
    } else if (Array.isArray(value)) {
      value.forEach((item) => void seen.add(item));
    } else if (typeof value === 'object' && value !== null && 'byteLength' in value) {
      const { type, shape, offset, byteLength } = value as StoredTensor;
      const fits = offset >= 0 && offset + byteLength <= fileSize;
      if (!fits || byteLength !== elementCount(shape) * bytesPerElement[type]) {
        return `a tensor of [${shape}] at ${offset} with ${byteLength} bytes in a file of ${fileSize}`;
      }
    }
  }
  return undefined;
}

/** A whole number from 0 on, below a limit. */
type Random = (below: number) => number;

type Edit = (bytes: Uint8Array, at: number, random: Random, tokens: readonly string[]) => Uint8Array;

/** Edits that leave every other byte where it is. */
const overwrites: readonly Edit[] = [
  // Flip a bit.
  (bytes, at, random) => replace(bytes, at, 1, [(bytes[at] ?? 0) ^ (1 << random(8))]),
  // Write a token over what stands there.
  (bytes, at, random, tokens) => {
    const token = pickToken(tokens, random);
    return replace(bytes, at, token.length, token);
  },
  // Write a notable number.
  (bytes, at, random) => {
    const number = new Uint8Array(BigUint64Array.of(notableNumber(bytes.length, random)).buffer);
    const width = 2 ** random(4);
    return replace(bytes, at, width, number.subarray(0, width));
  },
  // Write what stands elsewhere.
  (bytes, at, random) => {
    const from = random(bytes.length);
    const length = random(16);
    return replace(bytes, at, length, bytes.subarray(from, from + length));
  },
];

/** Edits that move what follows. */
const insertions: readonly Edit[] = [
  // Cut the file short, though not often: what is left says little about the rest.
  (bytes, at, random) => (random(8) === 0 ? bytes.subarray(0, at) : bytes),
  // Take bytes away.
  (bytes, at, random) => replace(bytes, at, random(32), []),
  // Put a token in.
  (bytes, at, random, tokens) => replace(bytes, at, 0, pickToken(tokens, random)),
  // Repeat bytes, or splice others in.
  (bytes, at, random) => replace(bytes, at, 0, bytes.subarray(at, at + random(32))),
  (bytes, at, random) => {
    const from = random(bytes.length);
    return replace(bytes, at, 0, bytes.subarray(from, from + random(32)));
  },
  // Change a number in digits.
  (bytes, at, random) => {
    const text = Buffer.from(bytes).toString('latin1');
    const number = String(notableNumber(bytes.length, random));
    return Buffer.from(text.slice(0, at) + text.slice(at).replace(/\d+/, number), 'latin1');
  },
];

function mutate({ seed, tokens, repair }: Target, random: Random): Uint8Array {
  const edits = random(2) === 0 ? overwrites : insertions;
  let bytes: Uint8Array = seed;
  for (let left = random(2) === 0 ? 1 : 1 + random(4); left > 0; left -= 1) {
    const edit = edits[random(edits.length)];
    bytes = edit?.(bytes, choosePlace(bytes, tokens, random), random, tokens) ?? bytes;
  }
  return repair !== undefined && random(4) > 0 ? repair(bytes) : bytes;
}

function replace(
  bytes: Uint8Array,
  at: number,
  length: number,
  by: Uint8Array | readonly number[],
): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), Uint8Array.from(by), bytes.subarray(at + length)]);
}

function pickToken(tokens: readonly string[], random: Random): Uint8Array {
  return Buffer.from(tokens[random(tokens.length)] ?? '', 'latin1');
}

/** Half of the places are near a token: there the structure of the file lies. */
function choosePlace(bytes: Uint8Array, tokens: readonly string[], random: Random): number {
  const at = random(bytes.length);
  const next = random(2) === 0 ? Buffer.from(bytes).indexOf(pickToken(tokens, random), at) : -1;
  return next < 0 ? at : Math.min(next + random(48), bytes.length);
}

function notableNumber(size: number, random: Random): bigint {
  const bases = [0, 31, 64, 255, size, 2 ** 16, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 60, 2 ** 63];
  const base = bases[random(bases.length)] ?? 0;
  return BigInt.asUintN(64, BigInt(base) + BigInt(random(5) - 2));
}

/** Random numbers that are the same in every run: a linear congruential generator, of which the high bits count. */
function randomNumbers(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

if (import.meta.main) {
  const [count, randomSeed] = [Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? 1)];
  for (const target of await makeTargets()) {
    const begin = performance.now();
    const findings = await fuzz(target, count, randomSeed);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    console.log(`${target.name}: ${count} files, ${findings.length} findings, ${seconds} s`);
    for (const [index, { bytes, reason }] of findings.slice(0, 10).entries()) {
      console.log(`  ${reason}`);
      await writeFile(join(corruptFolder, `${target.name}-${randomSeed}-${index}.bin`), bytes);
    }
  }
}
