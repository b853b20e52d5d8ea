/** Stores for tests: where they are, and the images that go into them. */

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { normalizeRows, normals } from '../src/core/index.ts';
import {
  type Access,
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

/** Nodes of a cluster for tests, as HOST:PORT,HOST:PORT; undefined without one. */
const nodes = process.env.LINCIR_TEST_OPENSEARCH || undefined;
export const skipsCluster = nodes === undefined && 'LINCIR_TEST_OPENSEARCH names no cluster';
const clusterNames: string[] = [];
after(async () => {
  for (const name of clusterNames) {
    const found = await askCluster('GET', `/_cat/indices/${name},${name}.*?h=index`);
    for (const index of (await found.text()).split('\n').filter(Boolean)) {
      await askCluster('DELETE', `/${index}`);
    }
  }
});

/** The address of a new index in the cluster. It is deleted after the tests. */
export function newClusterIndex(): string {
  const name = `test-${randomUUID()}`;
  clusterNames.push(name);
  return `opensearch://${nodes}/${name}`;
}

/** Asks the first node as other programs do. */
export function askCluster(method: string, path: string, body?: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`http://${nodes?.split(',')[0]}${path}`, {
    method,
    headers,
    body: body && JSON.stringify(body),
  });
}

/** Stores that last, by name: how to make a new address, and why one's tests are skipped. */
export const durableStores = [
  { name: 'LanceDB', newAddress: newPath, skip: false },
  { name: 'OpenSearch', newAddress: newClusterIndex, skip: skipsCluster },
] as const;

/** These, and the one in memory. */
export const everyStore = [{ name: 'memory', newAddress: () => 'memory:', skip: false }, ...durableStores];

export function newPath(): string {
  count += 1;
  return join(folder, `index-${count}.lance`);
}
export async function create(uri: string, changes: Partial<StoreInfo> = {}): Promise<VectorStore> {
  const { backend, location } = await backendOf(uri);
  return await backend.create(location, { ...info, ...changes });
}
export async function open(uri: string, access: Access = 'read'): Promise<VectorStore> {
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
