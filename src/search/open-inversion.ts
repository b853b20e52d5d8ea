/** Inversion in the place of phi: it makes the pseudo tokens of images, each of which is found once. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Clip } from '../clip/index.ts';
import type { Float32Tensor } from '../core/index.ts';
import { type InvertOptions, inversionSettings } from '../phi/index.ts';
import { invertCached } from './inversion-cache.ts';

export interface OpenInversionOptions
  extends Pick<InvertOptions, 'prompt' | 'settings' | 'seed' | 'device' | 'threads' | 'signal'> {
  readonly clip: Clip;
  /** Where pseudo tokens are kept, in a folder for each model; absent: nowhere. */
  readonly cache?: string;
  /** Told how many of so many images are inverted. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Inversion {
  /** What every pseudo token is found with. */
  readonly settings: ReturnType<typeof inversionSettings>;
  /** The lengths of embeddings do not matter. */
  readonly info: { readonly l2Normalize: true };
  /** See `invert`. [n, projection] to [n, width]. */
  encode(embeddings: Float32Tensor): Promise<Float32Tensor>;
}

/** @throws LincirError 'bad-argument' for settings that cannot be */
export function openInversion(options: OpenInversionOptions): Inversion {
  const { clip, cache, onProgress, ...others } = options;
  const { prompt, seed, ...settings } = inversionSettings(options);
  const padding = clip.targetPad === null ? '' : `, padded to ${clip.targetPad}`;
  return {
    settings: { ...settings, prompt, seed },
    info: { l2Normalize: true },
    encode: (embeddings) => {
      const [rows = 0, size = 0] = embeddings.shape;
      // The same image in another place is the same: its embedding tells it apart.
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
