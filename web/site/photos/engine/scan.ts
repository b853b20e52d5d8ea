/** Finds pictures in folders: those that the browser may read itself, and lists of files that a person chose or dropped. */

import { endingOf, isSystemName, looksOf } from '../../../../src/pictures/portable.ts';
import { unlessAborted } from './unless-aborted.ts';

/** A picture that was found, and not yet read. */
export interface FoundFile {
  /** Its folder's name, and its path below it. */
  readonly path: string;
  file(): Promise<File>;
}

/** What is no picture: how many of each ending. */
export type Skipped = ReadonlyMap<string, number>;

export interface WalkResult {
  readonly skipped: Map<string, number>;
  /** Folders that could not be read, with the reason. */
  readonly unreadable: Map<string, string>;
  /** Folders that have nothing in them, as those where a disk belongs that is not there. */
  readonly empty: Set<string>;
}

export interface PhotoFolder {
  readonly name: string;
  /** The same folder, in the index under another name. */
  named(name: string): PhotoFolder;
  walk(result: WalkResult, signal: AbortSignal): AsyncIterable<FoundFile>;
  /** A file by the path that `walk` gave. Throws if it is not there any more. */
  file(path: string): Promise<File>;
}

/** One that the browser may read itself. */
export class HandleFolder implements PhotoFolder {
  readonly name: string;
  readonly handle: FileSystemDirectoryHandle;
  /** Where the last file was: the next one is mostly there, too. */
  #last: { readonly path: string; readonly folder: FileSystemDirectoryHandle } | undefined;

  constructor(handle: FileSystemDirectoryHandle, name = handle.name) {
    this.handle = handle;
    this.name = name;
  }

  named(name: string): HandleFolder {
    return new HandleFolder(this.handle, name);
  }

  walk(result: WalkResult, signal: AbortSignal): AsyncGenerator<FoundFile> {
    return walk(this.handle, this.name, result, signal);
  }

  async file(path: string): Promise<File> {
    const names = path.slice(this.name.length + 1).split('/');
    const above = names.slice(0, -1).join('/');
    let { path: known, folder } = this.#last ?? { path: '', folder: this.handle };
    if (known !== above) {
      folder = this.handle;
      for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name);
      known = above;
      this.#last = { path: known, folder };
    }
    return await (await folder.getFileHandle(names.at(-1)!)).getFile();
  }
}

async function* walk(
  folder: FileSystemDirectoryHandle,
  path: string,
  result: WalkResult,
  signal: AbortSignal,
): AsyncGenerator<FoundFile> {
  let isEmpty = true;
  try {
    const entries = folder.entries();
    for (;;) {
      const { done, value } = await unlessAborted(entries.next(), signal);
      if (done) break;
      const [name, handle] = value;
      isEmpty = false;
      if (isSystemName(name)) continue;
      const below = `${path}/${name}`;
      if (handle.kind === 'directory')
        yield* walk(handle as FileSystemDirectoryHandle, below, result, signal);
      else if (isPicture(name, result.skipped))
        yield { path: below, file: () => (handle as FileSystemFileHandle).getFile() };
    }
    if (isEmpty) result.empty.add(path);
  } catch (error) {
    signal.throwIfAborted();
    result.unreadable.set(path, error instanceof Error ? error.message : `${error}`);
  }
}

/** Files that a person chose: they are there until the page is closed. */
export class ListedFolder implements PhotoFolder {
  readonly name: string;
  /** By their paths below the folder. */
  readonly #files: Map<string, File>;
  readonly #skipped: Map<string, number>;
  readonly #unreadable: Map<string, string>;

  constructor(
    name: string,
    files = new Map<string, File>(),
    skipped = new Map<string, number>(),
    unreadable = new Map<string, string>(),
  ) {
    this.name = name;
    this.#files = files;
    this.#skipped = skipped;
    this.#unreadable = unreadable;
  }

  get size(): number {
    return this.#files.size;
  }

  named(name: string): ListedFolder {
    return new ListedFolder(name, this.#files, this.#skipped, this.#unreadable);
  }

  add({ files, skipped, unreadable }: Pick<ListedFiles, 'files' | 'skipped' | 'unreadable'>): void {
    for (const { path, file } of files) this.#files.set(path, file);
    for (const [ending, number] of skipped) skip(this.#skipped, ending, number);
    for (const [path, reason] of unreadable) this.#unreadable.set(path, reason);
  }

  /** Their paths as the index has them, and their sizes. */
  *facts(): Generator<{ readonly path: string; readonly size: number }> {
    for (const [path, { size }] of this.#files) yield { path: `${this.name}/${path}`, size };
  }

  async *walk({ skipped, unreadable }: WalkResult, signal: AbortSignal): AsyncGenerator<FoundFile> {
    for (const [ending, number] of this.#skipped) skip(skipped, ending, number);
    for (const [path, reason] of this.#unreadable)
      unreadable.set(path === '' ? this.name : `${this.name}/${path}`, reason);
    for (const [path, file] of this.#files) {
      signal.throwIfAborted();
      yield { path: `${this.name}/${path}`, file: async () => file };
    }
  }

  async file(path: string): Promise<File> {
    const file = this.#files.get(path.slice(this.name.length + 1));
    if (file === undefined) throw new Error(`${path} is not there`);
    return file;
  }
}

/** Files of a folder that a person chose: some at a time, so that the page never stops. */
export interface ListedFiles {
  readonly name: string;
  readonly files: readonly ListedFile[];
  readonly skipped: Skipped;
  /** Folders below that could not be listed, with the reason. */
  readonly unreadable: ReadonlyMap<string, string>;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

export interface ListedFile {
  /** Below its folder. */
  readonly path: string;
  readonly file: File;
}

/** Whether a file's path below its folder is that of a picture. Counts it if it is something else that one may wonder about. */
export function isWanted(path: string, skipped: Map<string, number>): boolean {
  const names = path.split('/');
  return !names.some(isSystemName) && isPicture(names.at(-1)!, skipped);
}

function isPicture(name: string, skipped: Map<string, number>): boolean {
  if (looksOf(name) === 'taken') return true;
  skip(skipped, endingOf(name), 1);
  return false;
}

/** Endings that are counted each for itself: junk has any number of them. */
const mostEndings = 200;
const others = '…';

function skip(skipped: Map<string, number>, ending: string, number: number): void {
  const name = skipped.has(ending) || skipped.size < mostEndings ? ending : others;
  skipped.set(name, (skipped.get(name) ?? 0) + number);
}
