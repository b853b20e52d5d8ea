/** The blocks of a file that have arrived: in the browser's private file system, or in memory. */

import {
  fileIn,
  folderIn,
  madeFolder,
  namesIn,
  privateFolder,
  readPart,
  readSealed,
  remove,
  writeSealed,
} from './private-files.ts';

/** A tab that is closed loses what has arrived of the blocks that it was fetching. */
export const blockLength = 4 * 2 ** 20;

export interface Blocks {
  /** The numbers of the blocks that seem to be there. */
  list(): Promise<readonly number[]>;
  /** A block; undefined if it is not there as a whole. */
  read(block: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** A part of a block that was read or written before. */
  part(block: number, from: number, to: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Throws LincirError 'io' when the storage is full. */
  write(block: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  clear(): Promise<void>;
  /** Whether the blocks together were found to have the file's hash, and none has been written since. */
  isChecked(): Promise<boolean>;
  setChecked(): Promise<void>;
}

/** The name of a file that is there when a file's blocks are checked. */
const mark = 'checked';

/** Blocks as files of the folder at `path` of the private file system, which is made when the first arrives. */
export function keptBlocks(path: readonly string[]): Blocks {
  // To find them again for each of a thousand small reads would take seconds.
  let folder: FileSystemDirectoryHandle | undefined;
  const files = new Map<number, File>();
  const find = async () => {
    const root = folder ? undefined : await privateFolder();
    if (root) folder = await folderIn(root, path);
    return folder;
  };
  return {
    async list() {
      const found = await find();
      return found ? (await namesIn(found)).filter((name) => /^\d+$/.test(name)).map(Number) : [];
    },
    async read(block) {
      const found = await find();
      return found && (await readSealed(found, `${block}`));
    },
    async part(block, from, to) {
      const found = await find();
      const file = files.get(block) ?? (found && (await fileIn(found, `${block}`)));
      if (file === undefined) return undefined;
      files.set(block, file);
      const bytes = await readPart(file, from, to);
      if (bytes === undefined) files.delete(block);
      return bytes;
    },
    async write(block, bytes) {
      folder = await madeFolder((await privateFolder())!, path); // it may have been removed
      files.delete(block);
      if (await fileIn(folder, mark)) await remove(folder, mark); // two tabs cannot remove even nothing at once
      await writeSealed(folder, `${block}`, bytes);
    },
    async clear() {
      files.clear();
      folder = undefined;
      const root = await privateFolder();
      const parent = root && (await folderIn(root, path.slice(0, -1)));
      if (parent) await remove(parent, path.at(-1)!);
    },
    async isChecked() {
      const found = await find();
      return found !== undefined && (await readSealed(found, mark)) !== undefined;
    },
    async setChecked() {
      const found = await find();
      if (found) await writeSealed(found, mark, new Uint8Array());
    },
  };
}

/**
 * The most blocks in memory, all files together: 1 GiB. Beyond, the oldest go, and are fetched again if they are needed. A model is read
 * twice, for its fingerprint and for its towers, so one that does not fit is fetched twice.
 */
const mostInMemory = 256;
const inMemory = new Map<string, Uint8Array<ArrayBuffer>>();
const checkedInMemory = new Set<string>();

/** Frees the memory of blocks, of all files below `path`. */
export function clearMemory(path: readonly string[]): void {
  const beginning = `${path.join('/')}/`;
  for (const names of [inMemory, checkedInMemory]) {
    for (const name of names.keys()) if (name.startsWith(beginning)) names.delete(name);
  }
}

/** Blocks that are gone when the page is. `path` names the file. */
export function memoryBlocks(path: readonly string[]): Blocks {
  const key = path.join('/');
  const mine = () => [...inMemory.keys()].filter((name) => name.startsWith(`${key} `));
  const read = async (block: number) => inMemory.get(`${key} ${block}`);
  return {
    list: async () => mine().map((name) => Number(name.slice(key.length + 1))),
    read,
    part: async (block, from, to) => (await read(block))?.subarray(from, to),
    async write(block, bytes) {
      checkedInMemory.delete(key);
      inMemory.set(`${key} ${block}`, bytes);
      const [oldest] = inMemory.keys();
      if (inMemory.size > mostInMemory) inMemory.delete(oldest!);
    },
    async clear() {
      checkedInMemory.delete(key);
      for (const name of mine()) inMemory.delete(name);
    },
    isChecked: async () => checkedInMemory.has(key),
    async setChecked() {
      checkedInMemory.add(key);
    },
  };
}
