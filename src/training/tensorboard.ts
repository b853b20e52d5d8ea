/** Writes a run's metrics for TensorBoard: a file of events, made from `metrics.jsonl` whenever a run is opened. */
// The file: tensorflow/core/lib/io/record_writer.cc. Its records: tensorflow/core/util/event.proto, summary.proto.

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import protobuf from 'protobufjs/light.js';
import { asLincirError } from '../files/index.ts';
import { GrowingFile } from './growing-file.ts';
import type { Metrics } from './metrics.ts';

/** Messages as plain objects; protobufjs turns them into bytes. */
interface EventMessage {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step?: number;
  readonly fileVersion?: string;
  readonly summary?: { readonly value: readonly { readonly tag: string; readonly simpleValue: number }[] };
}

const ours = /^events\.out\.tfevents\.\d+\.lincir$/;
const bytesPerWrite = 2 ** 16;

/**
 * Writes `metrics` to a new `events.out.tfevents.SECONDS.lincir` in `folder`, and removes earlier ones, whatever their
 * state. Throws 'io' and what `metrics` throws.
 */
export async function openTensorboardLog(
  folder: string,
  metrics: AsyncIterable<Metrics>,
): Promise<GrowingFile<Metrics>> {
  const seconds = Math.floor(Date.now() / 1000);
  const name = `events.out.tfevents.${seconds}.lincir`;
  const contents = inLargerPieces(beginning(seconds, metrics));
  const log = await GrowingFile.create(join(folder, name), contents, (record: Metrics) =>
    framed(eventOf(record)),
  );
  try {
    const earlier = (await readdir(folder)).filter((other) => ours.test(other) && other !== name);
    for (const other of earlier) await rm(join(folder, other));
    return log;
  } catch (error) {
    await log.close();
    throw asLincirError(error, folder, 'write');
  }
}

/** The CRC-32C of bytes (Castagnoli; RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

async function* beginning(
  wallTime: number,
  metrics: AsyncIterable<Metrics>,
): AsyncGenerator<Uint8Array, void, void> {
  yield framed({ wallTime, fileVersion: 'brain.Event:2' });
  for await (const record of metrics) yield framed(eventOf(record));
}

async function* inLargerPieces(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    size += piece.length;
    if (size < bytesPerWrite) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    size = 0;
  }
  yield Buffer.concat(waiting);
}

function eventOf(record: Metrics): EventMessage {
  const value = Object.entries(scalars(record)).map(([tag, simpleValue]) => ({ tag, simpleValue }));
  return { wallTime: Date.parse(record.time) / 1000, step: record.step, summary: { value } };
}

function scalars(record: Metrics): Record<string, number> {
  if (record.kind === 'device') return {};
  if (record.kind === 'validation') {
    const { name, phi, metrics } = record;
    const place = phi === 'ema' ? `validation/${name}/ema` : `validation/${name}`;
    return Object.fromEntries(
      Object.entries(metrics).map(([metric, value]) => [`${place}/${metric}`, value]),
    );
  }
  return {
    'train/loss': record.loss,
    'train/learning_rate': record.learningRate,
    'train/gradient_norm': record.gradientNorm,
    'train/captions_per_second': record.captionsPerSecond,
  };
}

/** A record of the file: length, its checksum, the event, its checksum. */
function framed(event: EventMessage): Uint8Array {
  const bytes = Event.encode(event).finish();
  const frame = Buffer.alloc(8 + 4 + bytes.length + 4);
  frame.writeBigUInt64LE(BigInt(bytes.length), 0);
  frame.writeUInt32LE(maskedCrc(frame.subarray(0, 8)), 8);
  frame.set(bytes, 12);
  frame.writeUInt32LE(maskedCrc(bytes), 12 + bytes.length);
  return frame;
}

/** Masked, because the checksum of bytes that contain checksums would be weak: tensorflow/core/lib/hash/crc32c.h. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const root = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: { id: 1, type: 'double' },
        step: { id: 2, type: 'int64' },
        fileVersion: { id: 3, type: 'string' },
        summary: { id: 5, type: 'Summary' },
      },
    },
    Summary: { fields: { value: { id: 1, type: 'Value', rule: 'repeated' } } },
    Value: { fields: { tag: { id: 1, type: 'string' }, simpleValue: { id: 2, type: 'float' } } },
  },
});

const Event = root.lookupType('Event');
