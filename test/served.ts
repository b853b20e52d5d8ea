/** An index of small images and a phi for its model, for tests of what serves them. */

import { join } from 'node:path';
import { loadClip } from '../src/clip/index.ts';
import { writeSafetensors } from '../src/files/index.ts';
import { openIndex } from '../src/indexing/index.ts';
import { initialPhi, phiShape, phiTensors } from '../src/phi/index.ts';
import { place, update } from './pictures.ts';

export const tinyModel = join(import.meta.dirname, 'fixtures/tiny-clip');

/** What `openService` takes, and what is in it. */
export interface PlaceToServe {
  readonly uri: string;
  readonly phi: string;
  /** The folder of its images. */
  readonly photos: string;
  /** Of its images, `0.png` first. */
  readonly ids: readonly string[];
}

/**
 * Makes an index of so many images of noise, and a phi of random parameters, in a folder.
 * @param address of the index, if it is to lie elsewhere
 */
export async function placeToServe(
  folder: string,
  count: number,
  model = tinyModel,
  address?: string,
): Promise<PlaceToServe> {
  const { photos, uri: own } = await place(folder, count);
  const uri = address ?? own;
  const clip = await loadClip(model);
  const index = await openIndex(uri, { access: 'write', clip });
  try {
    await update(index, clip, { images: [photos] });
    const paths = Array.from({ length: count }, (_, at) => join(photos, at % 2 ? 'sub' : '', `${at}.png`));
    const found = await Promise.all(paths.map((path) => index.find(path)));
    const shape = phiShape('lincir', clip.textConfig);
    const info = { shape, fingerprint: clip.fingerprint, l2Normalize: false };
    const phi = join(folder, 'phi.safetensors');
    await writeSafetensors(phi, ...phiTensors(info, initialPhi(shape, 1)));
    return { uri, phi, photos, ids: found.map((image) => image!.id) };
  } finally {
    await index.close();
    await clip.dispose();
  }
}

/** A request whose client waits a minute. */
export function requestScope(signal = new AbortController().signal) {
  return { signal, deadline: performance.now() + 60_000 };
}
