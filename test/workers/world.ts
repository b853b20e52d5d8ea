/** What workers share in tests: shards with a broken member, a folder, and everything that an index then has. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { backendOf, type KnownImage, type SourceRecord } from '../../src/store/index.ts';
import { entry } from '../archives.ts';
import { writePicture } from '../pictures.ts';

export const model = join(import.meta.dirname, '../fixtures/tiny-clip');

export interface Counts {
  readonly shards: number;
  readonly imagesPerShard: number;
  readonly imagesInFolder: number;
}

/** Writes `000.tar` and so on, the first with a member that is no image, and `photos`. Returns their names. */
export async function makeSources(folder: string, counts: Counts): Promise<string[]> {
  const photos = join(folder, 'photos');
  await mkdir(photos, { recursive: true });
  let number = 0;
  const next = async (path: string) => {
    number += 1;
    await writePicture(path, number);
  };
  for (let at = 0; at < counts.imagesInFolder; at += 1) await next(join(photos, `${at}.png`));
  const names: string[] = [];
  for (let shard = 0; shard < counts.shards; shard += 1) {
    const members: Buffer[] = [];
    for (let at = 0; at < counts.imagesPerShard; at += 1) {
      const path = join(folder, 'member.png');
      await next(path);
      members.push(entry(`${at}.png`, await readFile(path)), entry(`${at}.txt`, `caption ${at}`));
    }
    if (shard === 0) members.push(entry('broken.png', 'no image'));
    const name = `${String(shard).padStart(3, '0')}.tar`;
    await writeFile(join(folder, name), Buffer.concat([...members, Buffer.alloc(1024)]));
    names.push(name);
  }
  return ['photos', ...names];
}

/** All that an index has, each once. */
export interface Contents {
  /** By path. */
  readonly images: ReadonlyMap<string, KnownImage>;
  /** Reasons by path. */
  readonly broken: ReadonlyMap<string, string>;
  readonly sources: readonly SourceRecord[];
}

export async function contentsOf(uri: string): Promise<Contents> {
  const { backend, location } = await backendOf(uri);
  const store = await backend.open(location, 'read');
  try {
    const rows = (await Array.fromAsync(store.images())).flat();
    const known = await store.find(
      'id',
      rows.map(({ id }) => id),
    );
    const images = new Map(known.map((image) => [image.path, image]));
    if (images.size !== rows.length) throw new Error(`${rows.length - images.size} images are there twice`);
    const broken = (await Array.fromAsync(store.broken())).flat();
    const sources = (await Array.fromAsync(store.sources())).flat();
    return { images, broken: new Map(broken.map(({ path, reason }) => [path, reason])), sources };
  } finally {
    await store.close();
  }
}

/** What differs between two indexes of the same sources, in a line each; nothing but the rounding of vectors may. */
export function differences(one: Contents, other: Contents): string[] {
  const found: string[] = [];
  for (const path of new Set([...one.images.keys(), ...other.images.keys()])) {
    const [a, b] = [one.images.get(path), other.images.get(path)];
    if (!a || !b) found.push(`${path} is only in one of them`);
    else if (factsOf(a) !== factsOf(b)) found.push(`${factsOf(a)} and ${factsOf(b)}`);
    else if (a.vector.some((value, at) => Math.abs(value - b.vector[at]!) > rounding)) {
      found.push(`${path} has another vector`);
    }
  }
  const notes = (contents: Contents) => JSON.stringify([...contents.broken].sort());
  if (notes(one) !== notes(other)) found.push(`${notes(one)} and ${notes(other)}`);
  return found;
}

/** Batches of other sizes move the last bits of an embedding. */
const rounding = 1e-5;

function factsOf({ vector: _, norm, metadata, ...facts }: KnownImage): string {
  const sorted = (record: object) =>
    Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify({ ...sorted(facts), norm: norm?.toPrecision(4), metadata: sorted(metadata) });
}
