/** A short name for a model's content, by which embeddings of different models are told apart. */

import { type Checkpoint, sha256 } from '../core/index.ts';
import type { ClipConfig } from './config.ts';

/** Bytes that are read at the beginning, in the middle and at the end of every tensor. */
const sampleSize = 256;

/**
 * SHA-256 over the configuration and over every tensor's name, type, shape and samples of its values: not over every
 * byte, so that it takes milliseconds, but training of any kind changes samples everywhere. The same weights have
 * the same fingerprint in whatever files they lie.
 */
export async function fingerprintOf(config: ClipConfig, { tensors }: Checkpoint): Promise<string> {
  const parts: (string | Uint8Array<ArrayBuffer>)[] = [JSON.stringify(config)];
  for (const [name, { source, offset, byteLength, type, shape }] of [...tensors].sort(byName)) {
    const length = Math.min(sampleSize, byteLength);
    const starts = [0, Math.floor((byteLength - length) / 2), byteLength - length];
    const samples = await Promise.all(starts.map((start) => source.read(offset + start, length)));
    parts.push(`\n${name} ${type} ${shape.join('x')}\n`, ...samples);
  }
  const hash = await sha256(...parts);
  return hash.getBigUint64(0).toString(16).padStart(16, '0');
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
