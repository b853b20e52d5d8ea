/** Rebuilds an index for another model or precision. The old one stays in use until the new one is complete. */

import { type Clip, precisionOf } from '../clip/index.ts';
import { LincirError, quoted } from '../core/index.ts';
import { pathOnDisk, statOf } from '../files/index.ts';
import { indexPath, memberMark, splitPath } from '../pictures/index.ts';
import { backendOf, type MissingImage, type Precision, type VectorStore } from '../store/index.ts';
import { infoFor } from './image-index.ts';
import { newIds } from './new-ids.ts';
import { storedPhotoColumns } from './photo-columns.ts';
import { type UpdateEvent, type UpdateOptions, updateIndex } from './update.ts';

export interface ReindexOptions extends Pick<UpdateOptions, 'readers' | 'maxPixels' | 'signal' | 'onFound'> {
  /** Default: unchanged. */
  readonly precision?: Precision;
}

const picturesPerLookup = 2048;
/** If the new index has a smaller part of the images than this, the old one stays: a disk may be missing. */
const leastPart = 1 / 2;

/**
 * Encodes every image of an index again, from its file or shard. Ids and metadata stay, even of images that cannot be
 * read. After any interruption, the same call continues.
 * @throws LincirError 'bad-argument' for an index of ready embeddings, which have no files; 'not-found' when most images
 *   can no longer be read, and the old index stays; and as `openIndex` and `updateIndex` do
 */
export async function* reindex(
  uri: string,
  clip: Clip,
  { precision, ...options }: ReindexOptions = {},
): AsyncGenerator<UpdateEvent, void, void> {
  const { backend, location } = await backendOf(uri);
  const old = await backend.open(location, 'read');
  try {
    const info = infoFor(clip, precision ?? (precisionOf(clip.fingerprint) ? undefined : old.info.precision));
    const { store, publish } = await backend.replace(location, info);
    try {
      // What is gone counts as images that cannot be read, as single files do.
      const shards = await presentOf(await shardsOf(old));
      const ofOld = async (paths: readonly string[]) => [
        ...(await old.findMissing('path', paths)),
        ...(await old.find('path', paths)),
      ];
      yield* updateIndex(store, clip, {
        ...options,
        images: shards,
        removeMissing: true, // the number that is left decides below
        paths: () => filesOf(old),
        idsOf: async (paths) => {
          const found = await ofOld(paths.flatMap(formerPaths));
          const ids = new Map(found.map(({ path, id }) => [indexPath(path), id]));
          const unknown = paths.filter((path) => !ids.has(path));
          return new Map([...ids, ...(await newIds([old, store], unknown))]);
        },
      });
      expectMost(uri, await old.count(), await store.count());
      await carryOver(old, store);
      await publish();
    } finally {
      await store.close();
    }
  } finally {
    await old.close();
  }
}

/** The place of an image now, and in an earlier version, which did not normalise the names of members. */
function formerPaths(path: string): string[] {
  return [path, path.replace(memberMark, `${memberMark}./`)];
}

/** The files of an index, and its broken ones, which may have been repaired. */
async function* filesOf(store: VectorStore): AsyncGenerator<string, void, void> {
  for (const all of [store.images(), store.broken()]) {
    for await (const batch of all) {
      for (const { path } of batch) if (splitPath(path)[1] === undefined) yield path;
    }
  }
}

async function shardsOf(store: VectorStore): Promise<string[]> {
  const shards = new Set<string>();
  for await (const batch of store.images()) {
    for (const { path } of batch) {
      const [file, member] = splitPath(path);
      if (member !== undefined) shards.add(file);
      if (/^(?:[a-z]:|s3:\/)?\//i.test(path)) continue;
      throw new LincirError('bad-argument', {
        subject: quoted(path),
        expected: 'an image with a file',
        found: 'a ready embedding, which cannot be encoded again',
        todo: 'make a new index of embeddings of the other model',
      });
    }
  }
  return [...shards];
}

/** Shards whose files are there; those in object storage are looked for when they are read. */
async function presentOf(shards: readonly string[]): Promise<string[]> {
  const present: string[] = [];
  for (const shard of shards) {
    if (/^s3:/i.test(shard) || (await statOf(await pathOnDisk(shard))) !== undefined) present.push(shard);
  }
  return present;
}

function expectMost(subject: string, before: number, now: number): void {
  if (now >= before * leastPart) return;
  throw new LincirError('not-found', {
    subject,
    expected: `most of its ${before} images where they were`,
    found: `${now} that can be read; the old index is kept`,
    todo: 'bring the files back and run the command again, or take out those that are gone with lincir index',
  });
}

/** Gives the new index's images their metadata, and keeps ids and metadata of those that could not be read. */
async function carryOver(old: VectorStore, store: VectorStore): Promise<void> {
  const own = new Set(['id', 'path', 'folder', 'size', 'modified']);
  const columns = new Map(
    [...(await old.columns())].flatMap(([name, type]) =>
      own.has(name) || storedPhotoColumns.has(name) || type === 'time' ? [] : [[name, type] as const],
    ),
  );
  await store.annotate(columns, []);
  const carry = async (pictures: readonly MissingImage[]) => {
    const found = await store.find(
      'id',
      pictures.map(({ id }) => id),
    );
    const present = new Set(found.map(({ id }) => id));
    const rows = pictures.filter(({ id }) => present.has(id));
    if (columns.size > 0)
      await store.annotate(
        columns,
        rows.map(({ id, metadata }) => ({ id, values: metadata })),
      );
    await store.addMissing(pictures.filter(({ id }) => !present.has(id)));
  };
  for await (const batch of old.missing()) await carry(batch);
  const since = Date.now();
  for await (const batch of old.images()) {
    for (let start = 0; start < batch.length; start += picturesPerLookup) {
      const ids = batch.slice(start, start + picturesPerLookup).map(({ id }) => id);
      await carry(
        (await old.find('id', ids)).map(({ id, path, hash, metadata }) => ({
          id,
          path,
          hash,
          since,
          metadata,
        })),
      );
    }
  }
  await store.maintain();
}
