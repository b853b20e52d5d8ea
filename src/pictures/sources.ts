/** Opens what a user wants to index: folders, files, WebDataset shards and lists of files, as one stream of images. */

import { readFile, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { errorCode, LincirError } from '../core/index.ts';
import { asLincirError, pathOnDisk, pathsOnDisk, readingFile } from '../files/index.ts';
import { type FoundImage, imageFile, tellUnreadable, type WalkOptions, walkImages } from './files.ts';
import { indexPath, memberMark, splitPath } from './names.ts';
import { isS3, otherStorage } from './s3/connection.ts';
import { foundObject, s3Images, s3Source } from './s3/images.ts';
import { s3Facts } from './s3/object.ts';
import { shardImages } from './shards.ts';
import { expectTar } from './tar.ts';

export interface SourceOptions extends WalkOptions {
  /** Files that list further files, a path a line, or with zero bytes between paths; `-` is standard input. */
  readonly lists?: readonly string[];
  /** Further files, asked for in every pass. */
  readonly paths?: () => AsyncIterable<string>;
  /** Called with each folder, shard, file and list that was named, and with each file of a list, before it is read. */
  readonly onNamed?: (path: string) => void;
  /** Whether a named folder, shard or file that does not exist is known. Then it counts as empty. */
  readonly knows?: (covered: string) => Promise<boolean>;
}

/** Everything that was named. */
interface ImageSources {
  /** All images, each path once if it is named once. Every call reads the sources again. */
  pictures(): AsyncGenerator<FoundImage, void, void>;
  /**
   * The source that would have a known image with this path if it were still there: a folder or shard, or the file itself
   * if it was named. Undefined if there is none.
   */
  covering(path: string): string | undefined;
}

interface Source {
  readonly pictures: () => AsyncGenerator<FoundImage, void, void>;
  /** A path, or the beginning of paths. */
  readonly covered: string;
  /** Whether the shards below it belong to it, too: in object storage. */
  readonly hasShards?: boolean;
}

/**
 * Opens sources: folders with all images in and below them, WebDataset shards (`.tar`), and other files as images.
 * @throws LincirError 'not-found' or 'io' naming what does not exist, and what reading a list throws
 */
export async function openSources(names: readonly string[], options: SourceOptions): Promise<ImageSources> {
  const sources: Source[] = [];
  for (const name of names) sources.push(await sourceOf(name, options));
  const listed = new Set<string>();
  for (const list of options.lists ?? []) {
    options.onNamed?.(list);
    for (const path of await listedPaths(list)) listed.add(path);
  }
  // A source inside another one would come twice.
  const outer = sources.filter(
    (source, at) =>
      !sources.some(
        (other, index) =>
          index !== at && isWithin(source.covered, other) && (source.covered !== other.covered || index < at),
      ),
  );
  return {
    async *pictures() {
      for (const source of outer) yield* source.pictures();
      const onDisk = pathsOnDisk();
      for (const paths of [listed, options.paths?.() ?? []]) {
        const told = new Set<string>();
        for await (const name of paths) {
          options.signal?.throwIfAborted();
          const path = isS3(name) ? name : await onDisk(name);
          const known = indexPath(path);
          if (told.has(known) || outer.some((source) => isWithin(known, source))) continue;
          if (paths === listed) told.add(known); // A list may have a file under several of its names.
          options.onNamed?.(path);
          const find = async () =>
            isS3(path) ? foundObject(await s3Facts(known, options.signal)) : await imageFile(path);
          const picture = await unlessUnreadable(find, known, options);
          if (picture) yield picture;
        }
      }
    },
    covering: (path) => outer.find((source) => isWithin(path, source))?.covered,
  };
}

/** Members of a shard belong to it, not to its folder. */
function isWithin(path: string, { covered, hasShards = false }: Source): boolean {
  if (!covered.endsWith('/')) return path === covered;
  const isOfFolder = splitPath(covered)[1] === undefined && !hasShards;
  return path.startsWith(covered) && !(isOfFolder && splitPath(path)[1] !== undefined);
}

async function sourceOf(named: string, options: SourceOptions): Promise<Source> {
  if (isS3(named)) return await remoteSource(named, options);
  const name = await pathOnDisk(named);
  const path = indexPath(name);
  options.onNamed?.(name);
  const facts = await stat(name).catch(async (error: unknown) => {
    const gone = await goneSource(path, options);
    if (gone && errorCode(error) === 'ENOENT') return gone;
    throw otherStorage(named) ?? asLincirError(error, name, 'read');
  });
  if ('covered' in facts) return facts;
  if (facts.isDirectory()) {
    return { covered: path.endsWith('/') ? path : `${path}/`, pictures: () => walkImages(name, options) };
  }
  if (/\.tar$/i.test(name)) {
    await readingFile(name, expectTar);
    return { covered: `${path}${memberMark}`, pictures: () => shardImages(name, options) };
  }
  return {
    covered: path,
    async *pictures() {
      const picture = await unlessUnreadable(() => imageFile(name), path, options);
      if (picture) yield picture;
    },
  };
}

async function remoteSource(named: string, options: SourceOptions): Promise<Source> {
  const path = indexPath(named);
  options.onNamed?.(path);
  const found = await s3Source(path, options.signal).catch(async (error: unknown) => {
    const isGone = error instanceof LincirError && error.code === 'not-found';
    const gone = isGone ? await goneSource(path.replace(/\/$/, ''), options) : undefined;
    if (gone) return gone;
    throw error;
  });
  if ('covered' in found) return found;
  const whole = found.kind === 'shard' ? `${path}${memberMark}` : path;
  return {
    covered: found.kind === 'prefix' ? found.prefix : whole,
    hasShards: found.kind === 'prefix',
    pictures: () => s3Images(found, options),
  };
}

async function goneSource(path: string, { knows }: SourceOptions): Promise<Source | undefined> {
  for (const covered of [`${path}/`, `${path}${memberMark}`, path]) {
    if (await knows?.(covered)) return { covered, async *pictures() {} };
  }
  return undefined;
}

/** The paths in a list, all in memory. `find -print0` ends names with zero bytes, because they may contain line ends. */
async function listedPaths(list: string): Promise<string[]> {
  try {
    const bytes = list === '-' ? await buffer(process.stdin) : await readFile(await pathOnDisk(list));
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.split(text.includes('\0') ? '\0' : /\r?\n/).filter((path) => path !== '');
  } catch (error) {
    if (!(error instanceof TypeError)) throw asLincirError(error, list, 'read');
    throw new LincirError('bad-file', {
      subject: list,
      expected: 'a list of paths in UTF-8',
      found: 'bytes that are not UTF-8',
      todo: 'rename these files, or leave them out',
      cause: error,
    });
  }
}

async function unlessUnreadable<T>(
  find: () => Promise<T>,
  path: string,
  options: WalkOptions,
): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    tellUnreadable(error, path, options);
    return undefined;
  }
}
