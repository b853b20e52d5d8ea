/** Tasks and their results as bytes, in the format of safetensors. What comes in is checked before it is used. */

import type { TextConfig } from '../../clip/index.ts';
import {
  elementCount,
  LincirError,
  quoted,
  type RandomAccess,
  readSafetensorsHeader,
  type StoredTensor,
  safetensorsHeader,
} from '../../core/index.ts';
import type { RunTensor } from '../../onnx/index.ts';
import { type TowerResult, type TowerTask, towerKinds } from '../tower-task.ts';

/** Of what processes and machines say to each other. */
export const protocol = 1;

/** What a task may have. */
export interface TaskLimits {
  readonly config: TextConfig;
  /** Token positions of one batch. */
  readonly positions: number;
}

/** Bytes of a header: more than ours have. */
const headerBytes = 4096;

/** The largest body of a task. */
export function mostTaskBytes({ config, positions }: TaskLimits): number {
  const most = Math.max(positions, config.positions);
  // An id, an end, a placement, its vector, and a wanted embedding, for each position.
  return headerBytes + most * (8 + 16 + 16 + 4 * config.width + 4 * config.projection);
}

export function packTask({ kind, feeds }: TowerTask): Uint8Array<ArrayBuffer> {
  return packed(feeds, { kind });
}

export function packResult(result: TowerResult): Uint8Array<ArrayBuffer> {
  const tensors = Object.entries(result).map(
    ([name, data]) => [name, { shape: [data.length], data }] as const,
  );
  return packed(Object.fromEntries(tensors));
}

/**
 * Reads a task that anybody may have sent.
 * @throws LincirError 'bad-file' for anything that the tower cannot take: other tensors, ids or places out of range, numbers that
 * are not finite, or more positions than the limit
 */
export async function readTask(bytes: Uint8Array<ArrayBuffer>, limits: TaskLimits): Promise<TowerTask> {
  const { vocabulary, width, projection, positions: mostPositions } = limits.config;
  const { tensors, metadata } = await readSafetensorsHeader(inMemory('task', bytes));
  const kind = towerKinds.find((one) => one === metadata.kind);
  if (!kind) throw refused('kind', towerKinds.join(' or '), quoted(metadata.kind));
  const [batch = 0, positions = 0] = tensors.get('ids')?.shape ?? [];
  const most = Math.max(limits.positions, mostPositions);
  if (batch < 1 || positions < 1 || positions > mostPositions || batch * positions > most) {
    const expected = `captions of at most ${mostPositions} ids, and at most ${most} in all`;
    throw refused('ids', expected, `${batch} captions of ${positions}`);
  }
  const placements = tensors.get('placements')?.shape[0] ?? 0;
  const shapes = {
    ids: [batch, positions],
    ends: [batch, 2],
    placements: [placements, 2],
    injected: [placements, width],
    ...(kind === 'reconstruction' && { wanted: [batch, projection] }),
  };
  const feeds = tensorsIn(bytes, tensors, shapes) as TowerTask['feeds'];
  expectRange('ids', feeds.ids, () => vocabulary);
  expectRange('ends', feeds.ends, (at) => (at % 2 === 0 ? batch : positions));
  expectRange('placements', feeds.placements, (at) => (at % 2 === 0 ? batch : positions));
  expectFinite('injected', feeds.injected);
  if (feeds.wanted) expectFinite('wanted', feeds.wanted);
  return { kind, feeds };
}

/** The lengths of a task's results, by name. */
export function resultSizes(
  { kind, feeds: { ids, injected } }: TowerTask,
  { projection, width }: TextConfig,
): Readonly<Record<string, number>> {
  const [batch = 0] = ids.shape;
  if (kind === 'embeddings') return { embeddings: batch * projection };
  return { errors: batch, gradient: injected.shape[0]! * width };
}

/** The largest body with results of such lengths. */
export function mostResultBytes(sizes: Readonly<Record<string, number>>): number {
  return headerBytes + 4 * Object.values(sizes).reduce((sum, size) => sum + size, 0);
}

/**
 * Reads results of such lengths.
 * @throws LincirError 'bad-file' for anything else
 */
export async function readResult(
  bytes: Uint8Array<ArrayBuffer>,
  sizes: Readonly<Record<string, number>>,
): Promise<TowerResult> {
  const { tensors } = await readSafetensorsHeader(inMemory('answer', bytes));
  const shapes = Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, [size]]));
  const found = Object.entries(tensorsIn(bytes, tensors, shapes));
  return Object.fromEntries(found.map(([name, { data }]) => [name, data as Float32Array]));
}

function packed(
  tensors: Readonly<Record<string, RunTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  // Wide elements come first, so that all are aligned.
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    return {
      name,
      type: typeIn(data),
      shape,
      bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    };
  });
  entries.sort((a, b) => Number(b.type === 'int64') - Number(a.type === 'int64'));
  const parts = [safetensorsHeader('task', entries, metadata), ...entries.map(({ bytes }) => bytes)];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Exactly the tensors of these names and shapes, without copying them. */
function tensorsIn(
  bytes: Uint8Array<ArrayBuffer>,
  stored: ReadonlyMap<string, StoredTensor>,
  shapes: Readonly<Record<string, readonly number[]>>,
): Record<string, RunTensor> {
  const others = [...stored.keys()].filter((name) => !Object.hasOwn(shapes, name));
  if (others.length > 0) throw refused('tensors', Object.keys(shapes).join(', '), quoted(others.join(', ')));
  const found = Object.entries(shapes).map(([name, shape]) => {
    const type = integers.has(name) ? 'int64' : 'float32';
    const tensor = stored.get(name);
    const expected = `${type} [${shape.join(', ')}]`;
    const given = tensor ? `${tensor.type} [${tensor.shape.join(', ')}]` : 'none';
    if (!tensor || given !== expected) throw refused(name, expected, quoted(given));
    const from = bytes.byteOffset + tensor.offset;
    const isAligned = from % 8 === 0;
    const whole = isAligned ? bytes : copied(bytes, tensor.offset, tensor.byteLength);
    const offset = isAligned ? from : 0;
    const Values = type === 'int64' ? BigInt64Array : Float32Array;
    return [name, { shape, data: new Values(whole.buffer, offset, elementCount(shape)) }] as const;
  });
  return Object.fromEntries(found);
}

const integers = new Set(['ids', 'ends', 'placements']);

function typeIn(data: RunTensor['data']) {
  return data instanceof BigInt64Array ? ('int64' as const) : ('float32' as const);
}

function expectRange(name: string, { data }: RunTensor, endAt: (at: number) => number): void {
  for (const [at, value] of (data as BigInt64Array).entries()) {
    if (value < 0n || value >= endAt(at)) {
      throw refused(name, `whole numbers from 0 to ${endAt(at) - 1}`, `${value}`);
    }
  }
}

function expectFinite(name: string, { data }: RunTensor): void {
  const bad = (data as Float32Array).find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw refused(name, 'finite numbers', `${bad}`);
}

/** Bytes as a source. Ranges of them are copied, so that they have buffers of their own. */
function inMemory(name: string, bytes: Uint8Array<ArrayBuffer>): RandomAccess {
  return { name, size: bytes.length, read: async (offset, length) => copied(bytes, offset, length) };
}

/** Of a Buffer, `slice` would be a view of memory that it shares with others. */
function copied(bytes: Uint8Array<ArrayBuffer>, offset: number, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(offset, offset + length));
}

function refused(what: string, expected: string, found: string): LincirError {
  return new LincirError('bad-file', { subject: `tower batch: ${what}`, expected, found });
}
