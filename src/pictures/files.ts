/** Finds image files in folders, with the facts by which an index knows them. */

import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, posix, relative, resolve, sep } from 'node:path';
import { LincirError } from '../core/index.ts';
import { asLincirError } from '../files/index.ts';
import { looksOf } from './endings.ts';
import { exclusion } from './left-out.ts';
import { isImageFile } from './looks.ts';
import { indexPath } from './names.ts';
import type { Region } from './region.ts';

/** An image that was found but not yet read. */
export interface FoundImage {
  /** Absolute, with forward slashes, or an address in object storage; of a member, `SHARD.tar!/MEMBER`. */
  readonly path: string;
  /** The folder of the path. */
  readonly folder: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970; of a member, when its shard was last written. */
  readonly modified: number;
  /** Time of its file's last change of any kind (ctime), which programs cannot set. */
  readonly statusChanged?: number;
  /** The file to open, or the address. */
  readonly file: string;
  /** Reads its bytes, if no other thread can: from object storage. */
  readonly load?: () => Promise<Uint8Array<ArrayBuffer>>;
  /** Where a member's bytes begin in its shard. */
  readonly offset?: number;
  /** The visible region, if that is not the whole image. Hash, size and bytes are still the file's. */
  readonly region?: Region;
}

/** Something that could not be read: a folder without permission, a name that is not UTF-8. */
export interface Unreadable {
  readonly path: string;
  readonly reason: string;
  /** Whether it is known that nothing is there. */
  readonly isMissing: boolean;
}

export interface WalkOptions {
  /** Glob patterns to leave out. Without a slash, they match a name anywhere, else a path below the folder. */
  readonly exclude?: readonly string[];
  /** Follow links. Default: skip them. */
  readonly followLinks?: boolean;
  readonly onUnreadable: (unreadable: Unreadable) => void;
  /** Which files to take, by the path as an index knows it. Default: all. */
  readonly isWanted?: (path: string) => boolean;
  /**
   * Called with each shard in object storage before it is read. Whether it need not be read.
   * @param version another one when its images may be others
   */
  readonly isKnownShard?: (shard: string, version: string) => boolean;
  /** Called with the name of each file that looks like an image but is not taken. */
  readonly onLeftOut?: (name: string) => void;
  /**
   * Called with each folder before it is read.
   * @param identity another one when another folder has taken its place
   * @param isTop whether it is in no folder that was read: it was named, or a link leads to it
   */
  readonly onFolder?: (path: string, identity: string, isTop: boolean) => void;
  readonly signal?: AbortSignal;
}

/** All images in and below a folder, in the order of their names. Throws 'not-found' or 'io' for the folder itself. */
export async function* walkImages(
  folder: string,
  options: WalkOptions,
): AsyncGenerator<FoundImage, void, void> {
  const root = resolve(folder);
  const isLeftOut = exclusion(options.exclude);
  const isExcluded = (path: string): boolean => isLeftOut(relative(root, path).split(sep).join('/'));
  const { identity, entries } = await openFolder(root, options).catch((error: unknown) => {
    throw asLincirError(error, folder, 'read');
  });
  yield* walk(root, entries, { ...options, isExcluded, ancestors: new Set([identity]) });
}

async function openFolder(root: string, { onFolder }: WalkOptions) {
  const identity = identityOf(await stat(root));
  onFolder?.(root, identity, true);
  return { identity, entries: await readdir(root, { withFileTypes: true, encoding: 'buffer' }) };
}

interface Walk extends WalkOptions {
  readonly isExcluded: (path: string) => boolean;
  /** The folders above this one, with links resolved. */
  readonly ancestors: ReadonlySet<string>;
}

async function* walk(
  folder: string,
  entries: readonly Dirent<Buffer>[],
  options: Walk,
): AsyncGenerator<FoundImage, void, void> {
  const { onUnreadable, onLeftOut, onFolder, followLinks = false, isExcluded, ancestors, signal } = options;
  const { isWanted = () => true } = options;
  const sorted = entries.toSorted((a, b) => Buffer.compare(a.name, b.name));
  for (const entry of sorted) {
    signal?.throwIfAborted();
    const name = entry.name.toString('utf8');
    const path = join(folder, name);
    if (isExcluded(path)) continue;
    const isLink = entry.isSymbolicLink();
    if (isLink && !followLinks) continue;
    const looks = looksOf(name);
    if (!(entry.isDirectory() || isLink || (entry.isFile() && looks !== 'other'))) continue;
    if (entry.isFile() && !isWanted(indexPath(path))) continue; // before anything is asked about it
    try {
      // Only the bytes of a name that is not UTF-8 lead to the file.
      const bytes = Buffer.concat([Buffer.from(join(folder, sep)), entry.name]);
      const facts = await stat(bytes);
      const isTaken =
        facts.isFile() && (looks === 'taken' || (looks === 'unclear' && (await isImageFile(bytes))));
      if (facts.isFile() && looks === 'left out') onLeftOut?.(name);
      if (!(isTaken || facts.isDirectory())) continue;
      if (!Buffer.from(name).equals(entry.name)) {
        const reason = 'expected a name in UTF-8, found other bytes; rename it';
        onUnreadable({ path: indexPath(path), reason, isMissing: false });
      } else if (isTaken) {
        if (!isLink || isWanted(indexPath(path))) yield found(path, facts);
      } else if (facts.isDirectory()) {
        const identity = identityOf(facts);
        if (ancestors.has(identity)) continue; // A link to a folder above it.
        onFolder?.(path, identity, isLink);
        const inside = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
        yield* walk(path, inside, { ...options, ancestors: new Set([...ancestors, identity]) });
      }
    } catch (error) {
      tellUnreadable(error, indexPath(path), options);
    }
  }
}

/** A file that was named itself, whatever its ending. Throws 'not-found', 'io', 'bad-file' if it is not a file. */
export async function imageFile(path: string): Promise<FoundImage> {
  const facts = await stat(path).catch((error: unknown) => {
    throw asLincirError(error, path, 'read');
  });
  if (facts.isFile()) return found(resolve(path), facts);
  throw new LincirError('bad-file', {
    subject: path,
    expected: 'a file',
    found: facts.isDirectory() ? 'a folder' : 'something that is no file',
  });
}

/** Reports something that cannot be read, if `error` is of that kind. Otherwise throws it. */
export function tellUnreadable(error: unknown, path: string, { onUnreadable }: WalkOptions): void {
  const lincirError = asLincirError(error, path, 'read');
  if (!(lincirError instanceof LincirError)) throw error;
  onUnreadable({ path, reason: reasonOf(lincirError), isMissing: lincirError.code === 'not-found' });
}

/** The reason why an image cannot be used, without its name. */
export function reasonOf({ problem: { expected, found, todo } }: LincirError): string {
  return `expected ${expected}, found ${found}${todo === undefined ? '' : `; ${todo}`}`;
}

function found(path: string, { size, mtimeMs, ctimeMs }: Stats): FoundImage {
  const known = indexPath(path);
  const times = { modified: mtimeMs, statusChanged: ctimeMs };
  return { path: known, folder: posix.dirname(known), size, ...times, file: path };
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev} ${ino}`;
}
