/** What a page can say and do about models before and after they are fetched: sizes, downloads as a whole, removal. */

import type { DownloadOptions } from '../core/index.ts';
import { isHubId } from '../hub/portable.ts';
import { blockLength, clearMemory } from './blocks.ts';
import { folderOf, storage } from './hub.ts';
import { placeOf, type Wanted, wantedModel, wantedPhi } from './models.ts';
import { folderIn, namesIn, remove, sizeIn } from './private-files.ts';
import { expectRoom, freeSpace } from './room.ts';
import { expectHash } from './verified.ts';

/** Facts to show before a download. */
export interface RemoteFacts {
  readonly id: string;
  readonly commit: string;
  /** As the model's card states it, such as `mit`; undefined where it does not. */
  readonly licence: string | undefined;
  /** Whether its owner must permit the download, which a page cannot ask for. */
  readonly isGated: boolean;
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    /** Of it, what is here already. */
    readonly here: number;
  }[];
  readonly bytes: number;
  readonly bytesHere: number;
  /** How many values of each type the weights have, such as `F16`, if the hub says so. */
  readonly values: Readonly<Record<string, number>> | undefined;
  /** Whether there are weights of half the size beside: see `configureHub`. */
  readonly hasHalf: boolean;
  /** Bytes that the browser still offers this page; undefined where it does not tell. */
  readonly free: number | undefined;
  /** Whether what arrives stays for the next visit. */
  readonly isKept: boolean;
}

/** A model, or a repository with phis, of which something is here. */
export interface KeptModel {
  readonly id: string;
  readonly bytes: number;
}

/** What a model is and how large. Fetches nothing but its description. Throws as `openModel` does. */
export async function describeModel(name: string, options: DownloadOptions = {}): Promise<RemoteFacts> {
  return await factsOf(await wantedModel(name, options));
}

/** The same of a phi. Throws as `openPhi` does. */
export async function describePhi(name: string, options: DownloadOptions = {}): Promise<RemoteFacts> {
  return await factsOf(await wantedPhi(placeOf(name), options));
}

/**
 * Fetches all of a model that is not here, and checks that it is what the hub states: afterwards it loads without the network.
 * A download that was ended goes on. Does nothing where nothing is kept.
 * @throws LincirError as `openModel` does
 */
export async function downloadModel(name: string, options: DownloadOptions = {}): Promise<void> {
  await fetchAll(await wantedModel(name, options), options.signal);
}

/** The same of a phi. */
export async function downloadPhi(name: string, options: DownloadOptions = {}): Promise<void> {
  await fetchAll(await wantedPhi(placeOf(name), options), options.signal);
}

/** The models of which something is here, by id. */
export async function keptModels(): Promise<KeptModel[]> {
  const root = await storage();
  const hub = root && (await folderIn(root, ['hub']));
  if (hub === undefined) return [];
  const ids = (await namesIn(hub)).map((name) => name.replace('--', '/')).filter(isHubId);
  return await Promise.all(ids.sort().map(async (id) => ({ id, bytes: await bytesOf(root!, id) })));
}

/** Removes all that is here of a model. Throws LincirError 'io' if another tab is fetching it. */
export async function forgetModel(id: string): Promise<void> {
  if (!isHubId(id)) return;
  clearMemory(folderOf(id));
  const root = await storage();
  const [parent = '', name = ''] = folderOf(id);
  const hub = root && (await folderIn(root, [parent]));
  if (hub) await remove(hub, name);
}

async function factsOf({ id, listing, files, download }: Wanted): Promise<RemoteFacts> {
  const sources = await Promise.all(files.map((file) => download.source(file)));
  const shown = sources.map(({ size, here }, at) => ({ name: files[at]!.name, bytes: size, here }));
  const { licence, isGated, values } = listing.facts;
  return {
    ...{ id, commit: listing.commit, licence, isGated, files: shown },
    bytes: shown.reduce((sum, { bytes }) => sum + bytes, 0),
    bytesHere: shown.reduce((sum, { here }) => sum + here, 0),
    ...{ values, hasHalf: listing.has('model.fp16.safetensors') },
    ...{ free: await freeSpace(), isKept: (await storage()) !== undefined },
  };
}

async function fetchAll({ id, files, download }: Wanted, signal: AbortSignal | undefined): Promise<void> {
  const sources = await Promise.all(files.map((file) => download.source(file)));
  if (!(await storage())) return; // it would not stay
  await expectRoom(
    sources.reduce((sum, { size, here }) => sum + size - here, 0),
    id,
  );
  try {
    for (const [at, source] of sources.entries()) await expectHash(source, files[at]!, signal);
  } finally {
    download.end();
  }
}

async function bytesOf(root: FileSystemDirectoryHandle, id: string): Promise<number> {
  const blobs = await folderIn(root, [...folderOf(id), 'blobs']);
  let bytes = 0;
  for (const etag of blobs ? await namesIn(blobs) : []) {
    const blob = await folderIn(blobs!, [etag]);
    for (const name of blob ? await namesIn(blob) : []) {
      bytes += Math.min(blockLength, (await sizeIn(blob!, name)) ?? 0);
    }
  }
  return bytes;
}
