/** The sources that fall to one of many workers, on disk or in object storage: whole WebDataset shards, and a part of every folder. */

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { LincirError, quoted } from '../core/index.ts';
import { asLincirError, pathOnDisk, readingFile } from '../files/index.ts';
import { type FoundImage, type WalkOptions, walkImages } from './files.ts';
import { indexPath } from './names.ts';
import { isS3, otherStorage } from './s3/connection.ts';
import { foundObject, s3Below, s3Source, shardVersion } from './s3/images.ts';
import type { S3Facts } from './s3/object.ts';
import { remoteShardImages, shardImages } from './shards.ts';
import { expectTar } from './tar.ts';
import { isOfShard, shardName, type WorkShard } from './work-shard.ts';

/** What one worker does at a time, and what an index has a record of. */
export interface WorkSource {
  /** Unique, and the same for all workers: a path, for a folder with the part that it means. */
  readonly name: string;
  /** Another text when its images may have changed: of size and time, for a folder of all its files. */
  version(): Promise<string>;
  /** Its images. Whatever cannot be read is told. */
  images(onUnreadable: WalkOptions['onUnreadable']): AsyncGenerator<FoundImage, void, void>;
}

export type WorkOptions = Pick<WalkOptions, 'exclude' | 'followLinks' | 'signal'>;

/**
 * What falls to one shard of the work, by the hash of a source's name. A folder is split by its files, so that many workers
 * share a large one. What is not there, or cannot be listed now, is a source that fails when it is gone through.
 * @throws LincirError 'bad-argument' for a file that is no shard, and for addresses and settings that cannot be right
 */
export async function workSources(
  names: readonly string[],
  shard: WorkShard,
  options: WorkOptions,
): Promise<WorkSource[]> {
  const sources = new Map<string, WorkSource>();
  for (const given of names) {
    const find = isS3(given) ? remoteSources : sourcesOnDisk;
    const found = await find(given, shard, options).catch(async (error: unknown) => {
      options.signal?.throwIfAborted();
      if (!(error instanceof LincirError) || error.code === 'bad-argument') throw error;
      return failing(isS3(given) ? given : await pathOnDisk(given), shard, error);
    });
    for (const source of found) sources.set(source.name, source);
  }
  return [...sources.values()];
}

async function sourcesOnDisk(given: string, shard: WorkShard, options: WorkOptions): Promise<WorkSource[]> {
  const name = await pathOnDisk(given);
  const facts = await stat(name).catch((error: unknown) => {
    throw otherStorage(given) ?? asLincirError(error, name, 'read');
  });
  if (facts.isDirectory()) return [folderPart(name, shard, options)];
  const source = await tarSource(name, options);
  return isOfShard(source.name, shard) ? [source] : [];
}

/** A source that cannot be looked at. A shard fails for the worker that it falls to, anything else for all. */
function failing(name: string, shard: WorkShard, error: LincirError): WorkSource[] {
  const path = indexPath(name);
  const isTar = /\.tar$/i.test(path);
  if (isTar && !isOfShard(path, shard)) return [];
  const fail = () => {
    throw error;
  };
  const folder = isS3(path) ? path.replace(/\/?$/, '/') : path;
  return [{ name: isTar ? path : partName(folder, shard), version: async () => fail(), images: fail }];
}

/** Shards in object storage, and a part of the images beside them. The listing tells versions. */
async function remoteSources(name: string, shard: WorkShard, options: WorkOptions): Promise<WorkSource[]> {
  const found = await s3Source(indexPath(name), options.signal);
  if (found.kind === 'image') throw notShared(name);
  if (found.kind !== 'prefix')
    return isOfShard(found.facts.name, shard) ? [remoteTar(found.facts, options)] : [];
  const { prefix } = found;
  const sources: WorkSource[] = [];
  const digest = createHash('sha256');
  for await (const { kind, facts } of s3Below(prefix, options)) {
    if (!isOfShard(facts.name, shard)) continue;
    if (kind === 'shard') sources.push(remoteTar(facts, options));
    else digest.update(`${facts.name}\0${facts.etag}\n`);
  }
  // Without images, too: its record may say that an earlier listing failed.
  const version = digest.digest('hex').slice(0, 32);
  async function* part(): AsyncGenerator<FoundImage, void, void> {
    for await (const { kind, facts } of s3Below(prefix, options)) {
      if (kind === 'image' && isOfShard(facts.name, shard)) yield foundObject(facts, options.signal);
    }
  }
  return [...sources, { name: partName(prefix, shard), version: async () => version, images: part }];
}

function remoteTar(facts: S3Facts, options: WorkOptions): WorkSource {
  return {
    name: facts.name,
    version: async () => shardVersion(facts, options),
    images: (onUnreadable) => remoteShardImages(facts, { ...options, onUnreadable }),
  };
}

function partName(folder: string, shard: WorkShard): string {
  return `${folder} (part ${shardName(shard)})`;
}

function notShared(name: string): LincirError {
  return new LincirError('bad-argument', {
    subject: quoted(name),
    expected: 'a folder or a WebDataset shard (.tar), which workers can share',
    found: 'a file of another kind',
    todo: 'name the folder that it lies in',
  });
}

async function tarSource(name: string, options: WorkOptions): Promise<WorkSource> {
  if (!/\.tar$/i.test(name)) throw notShared(name);
  return {
    name: indexPath(name),
    version: async () => {
      const { size, mtimeMs } = await stat(name).catch((error: unknown) => {
        throw asLincirError(error, name, 'read');
      });
      await readingFile(name, expectTar);
      return `${size} ${mtimeMs}`;
    },
    images: (onUnreadable) => shardImages(name, { ...options, onUnreadable }),
  };
}

function folderPart(name: string, shard: WorkShard, options: WorkOptions): WorkSource {
  const isWanted = (path: string) => isOfShard(path, shard);
  const images: WorkSource['images'] = (onUnreadable) =>
    walkImages(name, { ...options, onUnreadable, isWanted });
  return {
    name: partName(indexPath(name), shard),
    version: async () => {
      const digest = createHash('sha256');
      for await (const { path, size, modified } of images(() => {})) {
        digest.update(`${path}\0${size} ${modified}\n`);
      }
      return digest.digest('hex').slice(0, 32);
    },
    images,
  };
}
