/** Computes a model's fingerprint: a short name for its content, which identifies the model of an embedding. */

import { type Checkpoint, sha256 } from '../core/index.ts';
import type { Precision } from '../onnx/index.ts';
import type { ClipConfig } from './config.ts';

/** Bytes to read at the beginning, in the middle and at the end of every tensor. */
const sampleSize = 256;

/** Ends the fingerprint of embeddings that int8 products made. They must not be mixed with others of the same model. */
const int8Mark = '-int8';

/** The fingerprint of a model's embeddings in a precision: that of the model, unless int8 moves them. */
export function embeddingFingerprint(ofModel: string, precision: Precision | undefined): string {
  return precision === 'int8' ? ofModel + int8Mark : ofModel;
}

/** The precision to load a model with, so that its embeddings have this fingerprint; undefined leaves the choice. */
export function precisionOf(fingerprint: string): 'int8' | undefined {
  return fingerprint.endsWith(int8Mark) ? 'int8' : undefined;
}

/** The model's own part of a fingerprint of embeddings. */
export function modelFingerprint(fingerprint: string): string {
  return precisionOf(fingerprint) ? fingerprint.slice(0, -int8Mark.length) : fingerprint;
}

/**
 * SHA-256 over the configuration and over every tensor's name, type, shape and samples of its values. Samples take only
 * milliseconds, and any training changes some. The same weights have the same fingerprint, whatever files they are in.
 */
export async function fingerprintOf(config: ClipConfig, { tensors }: Checkpoint): Promise<string> {
  const parts: (string | Uint8Array<ArrayBuffer>)[] = [JSON.stringify(config)];
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { source, offset, byteLength, type, shape }] of sorted) {
    const length = Math.min(sampleSize, byteLength);
    const starts = [0, Math.floor((byteLength - length) / 2), byteLength - length];
    const samples = await Promise.all(starts.map((start) => source.read(offset + start, length)));
    parts.push(`\n${name} ${type} ${shape.join('x')}\n`, ...samples);
  }
  const hash = await sha256(...parts);
  return hash.getBigUint64(0).toString(16).padStart(16, '0');
}
