/** Stores for tests: where they are, and the images that go into them. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { normalizeRows, normals } from '../src/core/index.ts';
import {
  backendOf,
  type IndexedImage,
  type StoredImage,
  type StoreInfo,
  type VectorStore,
} from '../src/store/index.ts';

export const dimensions = 16;
export const info: StoreInfo = {
  version: 1,
  model: 'tiny',
  fingerprint: '0123456789abcdef',
  dimensions,
  precision: 'float32',
  targetPad: null,
  created: '2026-01-01T00:00:00.000Z',
};

let folder: string;
let count = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-store-'));
});
after(() => rm(folder, { recursive: true }));

export function newPath(): string {
  count += 1;
  return join(folder, `index-${count}.lance`);
}
export async function create(uri: string, changes: Partial<StoreInfo> = {}): Promise<VectorStore> {
  const { backend, location } = await backendOf(uri);
  return await backend.create(location, { ...info, ...changes });
}
export async function open(uri: string, access: 'read' | 'write' = 'read'): Promise<VectorStore> {
  const { backend, location } = await backendOf(uri);
  return await backend.open(location, access);
}

export function picture(number: number, changes: Partial<StoredImage> = {}): StoredImage {
  const vector = normals({ seed: 1, purpose: 'noise', moment: number, row: 0 }, dimensions);
  normalizeRows(vector, dimensions);
  const name = `p${String(number).padStart(5, '0')}`;
  return {
    id: name,
    path: `/photos/${number % 3}/${name} "it's" 🦊.jpg`,
    folder: `/photos/${number % 3}`,
    size: 100 + number,
    modified: 1_700_000_000_000.25 + number,
    hash: `h${number}`,
    norm: number % 5 === 0 ? null : 10 + number / 7,
    vector,
    ...changes,
  };
}
export const some = (length: number, from = 0) => Array.from({ length }, (_, at) => picture(from + at));

export async function all(store: VectorStore): Promise<IndexedImage[]> {
  return (await Array.fromAsync(store.images())).flat().sort((a, b) => (a.id < b.id ? -1 : 1));
}
export const withoutVector = ({ vector: _, ...rest }: StoredImage): IndexedImage => rest;
export const rounded = (value: IndexedImage): IndexedImage => ({
  ...value,
  norm: value.norm && Math.fround(value.norm),
});
