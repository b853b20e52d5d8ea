/** Finds pictures in folders: those that the browser may read itself, and lists of files that a person chose or dropped. */

import { endingOf, isSystemName, looksOf } from '../../../../src/pictures/portable.ts';

/** A picture that was found, and not yet read. */
export interface FoundFile {
  /** Its folder's name, and its path below it. */
  readonly path: string;
  file(): Promise<File>;
}

/** What is no picture: how many of each ending. */
export type Skipped = Record<string, number>;

export interface WalkResult {
  readonly skipped: Skipped;
  /** Folders that could not be read, with the reason. */
  readonly unreadable: Map<string, string>;
}

export interface PhotoFolder {
  readonly name: string;
  walk(result: WalkResult, signal: AbortSignal): AsyncIterable<FoundFile>;
  /** A file by the path that `walk` gave. Throws if it is not there any more. */
  file(path: string): Promise<File>;
}

export function handleFolder(handle: FileSystemDirectoryHandle): PhotoFolder {
  return {
    name: handle.name,
    walk: (result, signal) => walk(handle, handle.name, result, signal),
    async file(path) {
      const names = path.split('/').slice(1);
      let folder = handle;
      for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name);
      return await (await folder.getFileHandle(names.at(-1)!)).getFile();
    },
  };
}

async function* walk(
  folder: FileSystemDirectoryHandle,
  path: string,
  result: WalkResult,
  signal: AbortSignal,
): AsyncGenerator<FoundFile> {
  try {
    for await (const [name, handle] of folder.entries()) {
      signal.throwIfAborted();
      if (isSystemName(name)) continue;
      const below = `${path}/${name}`;
      if (handle.kind === 'directory')
        yield* walk(handle as FileSystemDirectoryHandle, below, result, signal);
      else if (isPicture(name, result.skipped))
        yield { path: below, file: () => (handle as FileSystemFileHandle).getFile() };
    }
  } catch (error) {
    signal.throwIfAborted();
    result.unreadable.set(path, error instanceof Error ? error.message : `${error}`);
  }
}

/** Files that a person chose: they are there until the page is closed. */
export class ListedFolder implements PhotoFolder {
  readonly name: string;
  readonly #files = new Map<string, File>();
  readonly #skipped: Skipped = {};

  constructor(name: string) {
    this.name = name;
  }

  add(files: readonly ListedFile[]): void {
    for (const { path, file } of files) {
      const names = path.split('/').slice(1);
      if (!names.some(isSystemName) && isPicture(names.at(-1)!, this.#skipped)) this.#files.set(path, file);
    }
  }

  async *walk({ skipped }: WalkResult, signal: AbortSignal): AsyncGenerator<FoundFile> {
    Object.assign(skipped, this.#skipped);
    for (const [path, file] of this.#files) {
      signal.throwIfAborted();
      yield { path, file: async () => file };
    }
  }

  async file(path: string): Promise<File> {
    const file = this.#files.get(path);
    if (file === undefined) throw new Error(`${path} is not there`);
    return file;
  }
}

export interface ListedFile {
  readonly path: string;
  readonly file: File;
}

function isPicture(name: string, skipped: Skipped): boolean {
  if (looksOf(name) === 'taken') return true;
  const ending = endingOf(name);
  skipped[ending] = (skipped[ending] ?? 0) + 1;
  return false;
}
