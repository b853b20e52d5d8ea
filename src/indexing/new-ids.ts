/** Ids for new images: hashes of their paths. A shard that is indexed twice, or by two workers, overwrites itself. */

import { hash } from 'node:crypto';
import type { VectorStore } from '../store/index.ts';

const digits = 24;

export function idOf(path: string, attempt = 0): string {
  return hash('sha256', attempt === 0 ? path : `${path}\0${attempt}`).slice(0, digits);
}

/**
 * Ids for new images with these paths, by path. An image that was renamed, or is missing, keeps the id of its first path.
 * So if an image with another path has an id, the next attempt is taken.
 * @param isTaken whether an image that is not in the stores yet has an id
 */
export async function newIds(
  stores: readonly Pick<VectorStore, 'lookUp' | 'findMissing'>[],
  paths: readonly string[],
  isTaken: (id: string) => boolean = () => false,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  let open = new Map(paths.map((path) => [idOf(path), path]));
  for (let attempt = 1; open.size > 0; attempt += 1) {
    const wanted = [...open.keys()];
    const found = await Promise.all(
      stores.flatMap((store) => [store.lookUp('id', wanted), store.findMissing('id', wanted)]),
    );
    const others = found.flat().filter(({ id, path }) => open.get(id) !== path);
    const taken = new Set([...others.map(({ id }) => id), ...wanted.filter(isTaken)]);
    for (const [id, path] of open) if (!taken.has(id)) ids.set(path, id);
    open = new Map([...taken].map((id) => [idOf(open.get(id)!, attempt), open.get(id)!]));
  }
  return ids;
}
