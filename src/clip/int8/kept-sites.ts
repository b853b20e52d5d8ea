/** The scales of a tower as a file, so that only its first load must measure it. */

import { keep, kept } from '#kept';
import {
  LincirError,
  type RandomAccess,
  readSafetensorsHeader,
  readTensor,
  safetensorsHeader,
  sha256,
} from '../../core/index.ts';
import type { VisionConfig } from '../config.ts';
import type { ImagePreprocessing } from '../preprocess.ts';
import { placesIn, type Site } from './sites.ts';

/** Its number grows when the same model would get other scales. */
const folder = 'int8-1';

/** All that scales depend on. */
export interface CalibratedOn {
  /** Of the model. */
  readonly fingerprint: string;
  readonly preprocessing: ImagePreprocessing;
  /** See `weightReach`. */
  readonly reach: number;
}

/** The sites that are rounded, if an earlier load has kept them. A file that is damaged counts as none. */
export async function keptSites(on: CalibratedOn, config: VisionConfig): Promise<Site[] | undefined> {
  const file = await kept(await nameOf(on));
  return (
    file &&
    (await readSites(file, config, on.reach).catch((error: unknown) => {
      if (error instanceof LincirError) return undefined;
      throw error;
    }))
  );
}

export async function keepSites(on: CalibratedOn, sites: readonly Site[]): Promise<void> {
  await keep(await nameOf(on), sitesBytes(sites));
}

/** A safetensors file: for each site, by its first product, `mean`, `grid`, and what it has of `shift` and `scale`. */
export function sitesBytes(sites: readonly Site[]): Uint8Array<ArrayBuffer> {
  const tensors = sites.flatMap(({ products: [name], mean, scales: { grid, shift, scale } }) =>
    Object.entries({ mean, grid: Float32Array.of(grid.step, grid.zero), shift, scale }).flatMap(
      ([part, data]) =>
        data ? [{ name: `${name}:${part}`, type: 'float32', shape: [data.length], data } as const] : [],
    ),
  );
  const parts = [
    safetensorsHeader(folder, tensors, {}),
    ...tensors.map(({ data }) => new Uint8Array(data.buffer)),
  ];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** @throws LincirError 'bad-file' for anything that such a tower's scales cannot be */
export async function readSites(file: RandomAccess, config: VisionConfig, reach: number): Promise<Site[]> {
  const { tensors } = await readSafetensorsHeader(file);
  const unread = new Set(tensors.keys());
  const refuse = (name: string, expected: string) =>
    new LincirError('bad-file', { subject: `${file.name}: ${name}`, expected, found: 'something else' });
  const read = async (name: string, size: number, isGood: (value: number, at: number) => boolean) => {
    const tensor = tensors.get(name);
    if (!tensor) return undefined;
    unread.delete(name);
    if (tensor.type !== 'float32' || `${tensor.shape}` !== `${size}`) throw refuse(name, `float32 [${size}]`);
    const { data } = await readTensor(tensor);
    if (!data.every((value, at) => Number.isFinite(value) && isGood(value, at)))
      throw refuse(name, 'its numbers');
    return data;
  };
  const sites: Site[] = [];
  for (const place of placesIn(config)) {
    const [name, size] = [place.products[0]!, place.width];
    const mean = await read(`${name}:mean`, size, () => true);
    const shift = await read(`${name}:shift`, size, () => true);
    const scale = await read(`${name}:scale`, size, (value) => value > 0);
    const grid = await read(`${name}:grid`, 2, (value, at) => (at === 0 ? value > 0 : isByte(value)));
    if (!mean && !grid) continue;
    if (!mean || !grid) throw refuse(name, 'a mean and a grid');
    const [step, zero] = grid as unknown as [number, number];
    sites.push({ ...place, mean, scales: { shift, scale, grid: { step, zero }, reach } });
  }
  if (unread.size > 0) throw refuse('tensors', 'only scales');
  return sites;
}

function isByte(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 255;
}

async function nameOf(on: CalibratedOn): Promise<string> {
  const { buffer } = await sha256(JSON.stringify([on.fingerprint, on.preprocessing, on.reach]));
  const name = Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${folder}/${name}.safetensors`;
}
