/** Made images with known answers: what a search must find, and whether an index holds all of them once. */

import { normalizeRows, normals } from '../../src/core/index.ts';
import type { FoundImage } from '../../src/indexing/index.ts';
import type { Metadata, StoredImage, StoreInfo, VectorStore } from '../../src/store/index.ts';
import { formatVersion } from '../../src/store/index.ts';

export const dimensions = 32;
export const top = 10;
const fingerprint = '0123456789abcdef';
/** Scores of single precision differ so much. */
const tolerance = 1e-5;
const imagesPerLookup = 500;

export function newInfo(): StoreInfo {
  return {
    ...{ version: formatVersion, model: 'made', fingerprint, dimensions },
    ...{ precision: 'float32', targetPad: null, created: new Date().toISOString() },
  };
}

/** @param name unique among the images of an index */
export function madeImage(
  name: string,
  number: number,
  metadata?: Metadata,
  length = dimensions,
): StoredImage {
  const vector = normals({ seed: 18, purpose: 'noise', moment: number, row: 0 }, length);
  normalizeRows(vector, length);
  const folder = `/photos/${name.split('-')[0]}`;
  return {
    ...{ id: name, path: `${folder}/${name} "it's" 🦊.jpg`, folder, size: 100 + number },
    ...{ modified: 1_700_000_000_000 + number, hash: `h${name}`, norm: 10 + (number % 97) / 4, vector },
    ...(metadata && { metadata }),
  };
}

export function queryOf(vector: Float32Array, made = fingerprint) {
  return { vector, method: 'image', fingerprint: made, timings: { images: 0, phi: 0, text: 0 } } as const;
}

/** The exact answer, of which no two scores are too near to tell them apart; undefined if two are. */
export function exactAnswer(
  images: readonly StoredImage[],
  vector: Float32Array,
): readonly { readonly path: string; readonly score: number }[] | undefined {
  const scored = images
    .map((image) => ({ path: image.path, score: dot(image.vector, vector) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, top + 1);
  const isClear = scored.every(({ score }, at) => at === 0 || scored[at - 1]!.score - score > 2 * tolerance);
  return isClear ? scored.slice(0, top) : undefined;
}

/** What is wrong with an answer; undefined if nothing is. */
export function fault(
  hits: readonly FoundImage[],
  expected: readonly { readonly path: string; readonly score: number }[],
): string | undefined {
  const isRight =
    hits.length === expected.length &&
    hits.every(
      ({ path, score }, at) =>
        path === expected[at]!.path && Math.abs(score - expected[at]!.score) < tolerance,
    );
  if (isRight) return undefined;
  const shown = (all: readonly { readonly path: string; readonly score: number }[]) =>
    all.map(({ path, score }) => `${path} ${score.toFixed(6)}`).join(', ');
  return `found ${hits.length}: ${shown(hits)}; expected ${shown(expected)}`;
}

/** Compares an index with what was acknowledged. Images that nobody acknowledged are allowed if they are whole. */
export async function compare(
  store: VectorStore,
  acknowledged: ReadonlyMap<string, StoredImage>,
  isAllowed: (id: string) => boolean = () => false,
): Promise<{ readonly lost: string[]; readonly doubled: string[] }> {
  const lost: string[] = [];
  const doubled: string[] = [];
  const [ids, paths] = [new Set<string>(), new Set<string>()];
  let listed = 0;
  for await (const some of store.images()) {
    for (const { id, path } of some) {
      listed += 1;
      const isKnown = acknowledged.has(id) || isAllowed(id);
      if (ids.has(id) || paths.has(path) || !isKnown) doubled.push(path);
      ids.add(id);
      paths.add(path);
    }
  }
  const count = await store.count();
  if (count !== listed) doubled.push(`count ${count}, listed ${listed}`);
  const wanted = [...acknowledged.values()];
  for (let start = 0; start < wanted.length; start += imagesPerLookup) {
    const some = wanted.slice(start, start + imagesPerLookup);
    const found = await store.find(
      'id',
      some.map(({ id }) => id),
    );
    const byId = Map.groupBy(found, ({ id }) => id);
    for (const image of some) {
      const all = byId.get(image.id) ?? [];
      if (all.length > 1) doubled.push(image.path);
      if (!ids.has(image.id) || !all.some((one) => isEqual(one, image))) lost.push(image.path);
    }
  }
  return { lost, doubled };
}

function isEqual(found: StoredImage, image: StoredImage): boolean {
  return (
    found.path === image.path &&
    found.folder === image.folder &&
    found.hash === image.hash &&
    found.size === image.size &&
    found.modified === image.modified &&
    found.norm === image.norm &&
    found.vector.length === image.vector.length &&
    found.vector.every((value, at) => value === image.vector[at]) &&
    Object.entries(image.metadata ?? {}).every(([name, value]) => found.metadata?.[name] === value)
  );
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += a[at]! * b[at]!;
  return sum;
}
