/** What machines that compute one training together send each other: facts, batches, results. */

import { readConfigOf } from '../../../src/clip/index.ts';
import { folderFiles } from '../../../src/files/index.ts';
import { detailIn, factsIn } from '../../../src/training/devices/device.ts';
import { packResult, packTask, readResult, readTask } from '../../../src/training/devices/messages.ts';
import type { TowerTask } from '../../../src/training/tower-task.ts';
import { tinyModel } from '../../served.ts';
import { jsonOf, jsonTokens, type Target } from '../target.ts';
import { safetensorsRepair, safetensorsTokens } from './weights.ts';

export async function lendingTargets() {
  const config = (await readConfigOf(folderFiles(tinyModel)))!.text!;
  const floats = (...shape: number[]) => {
    return { shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
  };
  const task: TowerTask = {
    kind: 'reconstruction',
    feeds: {
      ids: { shape: [2, 3], data: BigInt64Array.of(5n, 6n, 7n, 8n, 9n, 0n) },
      ends: { shape: [2, 2], data: BigInt64Array.of(0n, 2n, 1n, 1n) },
      placements: { shape: [1, 2], data: BigInt64Array.of(1n, 0n) },
      injected: floats(1, config.width),
      wanted: floats(2, config.projection),
    },
  };
  const sizes = { errors: 2, gradient: config.width };
  const result = packResult({ errors: new Float32Array(2), gradient: new Float32Array(config.width) });
  const facts = {
    protocol: 1,
    fingerprint: 'f',
    device: 'cpu',
    precision: 'float32',
    processes: 1,
    positions: 9,
  };
  const dataOf = (bytes: Uint8Array) =>
    bytes.length - 8 - Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const packed = packTask(task);
  const plain = (bytes: Uint8Array) => Uint8Array.from(bytes);
  return {
    'lending-task': {
      covers: ['training/devices/messages.ts'],
      seeds: [packed],
      repair: safetensorsRepair(dataOf(packed)),
      tokens: [
        ...safetensorsTokens,
        '"kind"',
        '"I64"',
        '"ids"',
        '"wanted"',
        '\xff\xff\xff\xff',
        '\0\0\xc0\x7f',
      ],
      read: async (bytes) => await readTask(plain(bytes), { config, positions: 64 }),
    },
    'lending-result': {
      covers: ['training/devices/messages.ts'],
      seeds: [result],
      repair: safetensorsRepair(dataOf(result)),
      tokens: [...safetensorsTokens, '"errors"', '"gradient"'],
      read: async (bytes) => await readResult(plain(bytes), sizes),
    },
    'lending-facts': {
      covers: ['training/devices/device.ts'],
      seeds: [jsonOf(facts)],
      tokens: [...jsonTokens, '"processes"', '"tf32"', '"detail"'],
      read: async (bytes) => {
        detailIn(bytes);
        factsIn(bytes, 'fuzzed');
      },
    },
  } satisfies Record<string, Target>;
}
