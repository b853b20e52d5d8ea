/** A short name for a model's content, by which embeddings of different models are told apart. */

import { createHash } from 'node:crypto';
import type { Checkpoint } from '../core/index.ts';
import type { ClipConfig } from './config.ts';

/** Bytes that are read at the beginning, in the middle and at the end of every tensor. */
const sampleSize = 256;

/**
 * SHA-256 over the configuration and over every tensor's name, type, shape and samples of its values: not over every
 * byte, so that it takes milliseconds, but training of any kind changes samples everywhere. The same weights have
 * the same fingerprint in whatever files they lie.
 */
export async function fingerprintOf(config: ClipConfig, { tensors }: Checkpoint): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(config));
  for (const [name, tensor] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`\n${name} ${tensor.type} ${tensor.shape.join('x')}\n`);
    const { source, offset, byteLength } = tensor;
    const length = Math.min(sampleSize, byteLength);
    const starts = [0, Math.floor((byteLength - length) / 2), byteLength - length];
    const samples = await Promise.all(starts.map((start) => source.read(offset + start, length)));
    for (const sample of samples) hash.update(sample);
  }
  return hash.digest('hex').slice(0, 16);
}
