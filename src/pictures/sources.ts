/** What a user names to be indexed: folders, files, WebDataset shards and lists of files, as one stream of pictures. */

import { readFile, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { asLincirError, LincirError, openFile, readingFile } from '../core/index.ts';
import {
  type FoundPicture,
  indexPath,
  isPictureName,
  memberMark,
  pictureFile,
  splitPath,
  tellUnreadable,
  type WalkOptions,
  walkPictures,
} from './files.ts';
import { tarMembers } from './tar.ts';

export interface SourceOptions extends WalkOptions {
  /** Files that list further files, a path a line, or with zero bytes between them; `-` is standard input. */
  readonly lists?: readonly string[] | undefined;
  /** Further files, asked for at every look. */
  readonly paths?: (() => AsyncIterable<string>) | undefined;
}

/** Everything that was named. */
export interface PictureSources {
  /** All pictures, each path once if it is named once. Can be asked for again, and then looks again. */
  pictures(): AsyncGenerator<FoundPicture, void, void>;
  /** Whether a known picture with this path would be among them if it were still there. */
  covers(path: string): boolean;
}

interface Source {
  readonly pictures: () => AsyncGenerator<FoundPicture, void, void>;
  /** A path, or the beginning of paths. */
  readonly covered: string;
}

/**
 * Sources by what they are: folders with all pictures in and under them, WebDataset shards (`.tar`), other files as pictures.
 * @throws LincirError 'not-found' or 'io' naming what is not there, and what reading a list throws
 */
export async function openSources(names: readonly string[], options: SourceOptions): Promise<PictureSources> {
  const sources: Source[] = [];
  for (const name of names) sources.push(await sourceOf(name, options));
  const listed = new Set<string>();
  for (const list of options.lists ?? []) {
    for (const path of await listedPaths(list)) listed.add(path);
  }
  // What lies in another source would come twice.
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
      for (const paths of [listed, options.paths?.() ?? []]) {
        for await (const path of paths) {
          options.signal?.throwIfAborted();
          const known = indexPath(path);
          if (outer.some((source) => isWithin(known, source))) continue;
          const picture = await unlessUnreadable(() => pictureFile(path), known, options);
          if (picture) yield picture;
        }
      }
    },
    covers: (path) => outer.some((source) => isWithin(path, source)),
  };
}

/** Members of a shard lie in it, not in the folder that it lies in, whose pictures they are not. */
function isWithin(path: string, { covered }: Source): boolean {
  if (!covered.endsWith('/')) return path === covered;
  const isOfFolder = splitPath(covered)[1] === undefined;
  return path.startsWith(covered) && !(isOfFolder && splitPath(path)[1] !== undefined);
}

async function sourceOf(name: string, options: SourceOptions): Promise<Source> {
  const facts = await stat(name).catch((error: unknown) => {
    throw asLincirError(error, name, 'read');
  });
  const path = indexPath(name);
  if (facts.isDirectory()) {
    return { covered: path.endsWith('/') ? path : `${path}/`, pictures: () => walkPictures(name, options) };
  }
  if (/\.tar$/i.test(name)) {
    await readingFile(name, async (file) => {
      for await (const _ of tarMembers(file)) break; // whether it is one
    });
    return { covered: `${path}${memberMark}`, pictures: () => shardPictures(name, options) };
  }
  return {
    covered: path,
    async *pictures() {
      const picture = await unlessUnreadable(() => pictureFile(name), path, options);
      if (picture) yield picture;
    },
  };
}

/** The pictures in a shard, read where they lie. */
async function* shardPictures(name: string, options: WalkOptions): AsyncGenerator<FoundPicture, void, void> {
  const path = indexPath(name);
  const shard = await unlessUnreadable(() => openFile(name), path, options);
  if (shard === undefined) return;
  try {
    for await (const { name: member, size, offset } of tarMembers(shard)) {
      options.signal?.throwIfAborted();
      if (!isPictureName(member)) continue;
      const known = `${path}${memberMark}${member}`;
      yield { path: known, folder: posix.dirname(known), size, modified: shard.modified, file: name, offset };
    }
  } catch (error) {
    tellUnreadable(error, path, options);
  } finally {
    await shard.close();
  }
}

/** The paths in a list, all in memory. `find -print0` ends names with zero bytes, since they may have line ends within. */
async function listedPaths(list: string): Promise<string[]> {
  try {
    const bytes = list === '-' ? await buffer(process.stdin) : await readFile(list);
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
