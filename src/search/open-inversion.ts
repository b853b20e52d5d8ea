/** Inversion as a replacement for phi: computes each image's pseudo token once. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Clip } from '../clip/index.ts';
import type { Float32Tensor } from '../core/index.ts';
import { type InvertOptions, inversionSettings } from '../phi/index.ts';
import { invertCached } from './inversion-cache.ts';

export interface OpenInversionOptions
  extends Pick<InvertOptions, 'prompt' | 'settings' | 'seed' | 'device' | 'threads' | 'signal'> {
  readonly clip: Clip;
  /** Where to keep pseudo tokens, in a folder for each model. Absent: nowhere. */
  readonly cache?: string;
  /** Called with how many of all images are inverted. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Inversion {
  /** Settings for every pseudo token. */
  readonly settings: ReturnType<typeof inversionSettings>;
  /** The lengths of embeddings do not matter. */
  readonly info: { readonly l2Normalize: true };
  /** See `invert`. [n, projection] to [n, width]. */
  encode(embeddings: Float32Tensor): Promise<Float32Tensor>;
}

/** @throws LincirError 'bad-argument' for impossible settings */
export function openInversion(options: OpenInversionOptions): Inversion {
  const { clip, cache, onProgress, ...others } = options;
  const { prompt, seed, ...settings } = inversionSettings(options);
  const padding = clip.targetPad === null ? '' : `, padded to ${clip.targetPad}`;
  return {
    settings: { ...settings, prompt, seed },
    info: { l2Normalize: true },
    encode: (embeddings) => {
      const [rows = 0, size = 0] = embeddings.shape;
      // The embedding identifies an image, so that its place does not matter.
      const keyOf = (_: unknown, row: number) =>
        createHash('sha256')
          .update(embeddings.data.subarray(row * size, (row + 1) * size))
          .digest('hex') + padding;
      return invertCached({
        ...{ ...others, clip, embeddings, prompt, seed, settings },
        keys: Array.from({ length: rows }, keyOf),
        cache: cache && join(cache, 'words', clip.fingerprint),
        onProgress: (done) => onProgress?.(done, rows),
      });
    },
  };
}
