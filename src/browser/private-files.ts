/** Files in the browser's private file system (OPFS). A file ends in its hash: what a closed tab left half-written counts as none. */

import { LincirError } from '../core/index.ts';

const folderName = 'lincir';
const hashLength = 32;

/** How files are written where there are workers' handles, which are in place, and elsewhere. */
interface SyncHandle {
  write(bytes: BufferSource, options: { readonly at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}
type FileHandle = FileSystemFileHandle & { createSyncAccessHandle?(): Promise<SyncHandle> };

let trial: Promise<boolean> | undefined;
let refusal: string | undefined;

/** The folder of all that lincir keeps; undefined if this browser or window keeps nothing, which is warned of once. */
export async function privateFolder(): Promise<FileSystemDirectoryHandle | undefined> {
  trial ??= tryRoot().then(
    () => true,
    (error: unknown) => {
      refusal = error instanceof Error ? error.message : String(error);
      console.warn(
        `lincir: this browser, or this private window, keeps no files for pages (${refusal}). Models are fetched again at each visit.`,
      );
      return false;
    },
  );
  if (!(await trial)) return undefined;
  return await openRoot().catch((error: unknown) => {
    throw refused(error);
  });
}

/** Why nothing is kept, once that is known. */
export function whyNothingIsKept(): string | undefined {
  return refusal;
}

/** Found anew each time: what a person or another tab has cleared is gone for all handles. */
async function openRoot(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return await root.getDirectoryHandle(folderName, { create: true });
}

async function tryRoot(): Promise<void> {
  if (globalThis.navigator?.storage?.getDirectory === undefined)
    throw new Error('it has no private file system');
  const folder = await openRoot();
  const { prototype } = FileSystemFileHandle;
  if (!('createSyncAccessHandle' in prototype || 'createWritable' in prototype))
    throw new Error('it writes such files only in workers');
  // Some private windows refuse only now. Each tab has a name of its own, for two may try at once.
  const name = `trial-${crypto.randomUUID()}`;
  try {
    await (await folder.getDirectoryHandle(name, { create: true })).getFileHandle('x', { create: true });
  } finally {
    await folder.removeEntry(name, { recursive: true }).catch(() => {});
  }
}

/** A folder within another; undefined if it is not there. */
export async function folderIn(
  parent: FileSystemDirectoryHandle,
  path: readonly string[],
): Promise<FileSystemDirectoryHandle | undefined> {
  return await orNothing(descend(parent, path, false));
}

/** A folder within another, which is made if it is not there. Throws LincirError 'io'. */
export async function madeFolder(
  parent: FileSystemDirectoryHandle,
  path: readonly string[],
): Promise<FileSystemDirectoryHandle> {
  return await descend(parent, path, true).catch((error: unknown) => {
    throw refused(error);
  });
}

async function descend(
  parent: FileSystemDirectoryHandle,
  path: readonly string[],
  create: boolean,
): Promise<FileSystemDirectoryHandle> {
  let folder = parent;
  for (const name of path) folder = await folder.getDirectoryHandle(name, { create });
  return folder;
}

/** The names in a folder. */
export async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}

/** Bytes of a file, without its hash; undefined if it is not there. */
export async function sizeIn(folder: FileSystemDirectoryHandle, name: string): Promise<number | undefined> {
  const file = await fileIn(folder, name);
  return file && Math.max(0, file.size - hashLength);
}

/** The content of a file; undefined if it is not there, or not whole. */
export async function readSealed(
  folder: FileSystemDirectoryHandle,
  name: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const file = await fileIn(folder, name);
  if (file === undefined || file.size < hashLength) return undefined;
  const bytes = await bytesOf(file);
  if (bytes === undefined) return undefined;
  const content = bytes.subarray(0, -hashLength);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  return hash.every((byte, at) => byte === bytes[content.length + at]) ? content : undefined;
}

/** A part of a file that was read as a whole before; undefined if it has changed since. */
export async function readPart(
  file: File,
  from: number,
  to: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = await bytesOf(file.slice(from, to));
  return bytes?.length === to - from ? bytes : undefined;
}

/** Writes a file. If another tab is writing it just now, leaves it to that. Throws LincirError 'io' when the browser's storage is full. */
export async function writeSealed(
  folder: FileSystemDirectoryHandle,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  try {
    const hash = await crypto.subtle.digest('SHA-256', bytes);
    const handle: FileHandle = await folder.getFileHandle(name, { create: true });
    if (handle.createSyncAccessHandle) {
      writeInPlace(await handle.createSyncAccessHandle(), bytes, new Uint8Array(hash));
    } else {
      await writeApart(await handle.createWritable(), [bytes, hash]);
    }
  } catch (error) {
    if (nameOf(error) === 'NoModificationAllowedError') return;
    await folder.removeEntry(name).catch(() => {});
    throw refused(error);
  }
}

function writeInPlace(
  handle: SyncHandle,
  bytes: Uint8Array<ArrayBuffer>,
  hash: Uint8Array<ArrayBuffer>,
): void {
  try {
    handle.truncate(0);
    const written = handle.write(bytes, { at: 0 }) + handle.write(hash, { at: bytes.length });
    // Chromium counts 2 ** 32 - 8 bytes when nothing was written, so more is as bad as less.
    if (written !== bytes.length + hashLength) {
      throw new DOMException('no room is left', 'QuotaExceededError');
    }
    handle.flush();
  } finally {
    handle.close();
  }
}

/** What is written stands in a file of its own until it is closed. Without an end, that stays, and locks the other. */
async function writeApart(
  writable: FileSystemWritableFileStream,
  parts: readonly BufferSource[],
): Promise<void> {
  try {
    for (const part of parts) await writable.write(part);
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => {});
    throw error;
  }
}

/** Removes a file or a folder with all in it. */
export async function remove(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  await orNothing(folder.removeEntry(name, { recursive: true })).catch((error: unknown) => {
    throw refused(error);
  });
}

/** A file as it is now; undefined if it is not there. */
export async function fileIn(folder: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  const handle = await orNothing(folder.getFileHandle(name));
  return handle && (await orNothing(handle.getFile()));
}

/** Undefined if it changed while it was read: another tab writes it. */
async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return await blob.arrayBuffer().then(
    (buffer) => new Uint8Array(buffer),
    () => undefined,
  );
}

async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (nameOf(error) === 'NotFoundError') return undefined;
    throw error;
  }
}

function nameOf(error: unknown): string {
  return error instanceof DOMException || error instanceof Error ? error.name : '';
}

function refused(cause: unknown): LincirError {
  const isFull = nameOf(cause) === 'QuotaExceededError';
  return new LincirError('io', {
    subject: "the browser's storage for this page",
    expected: 'room for what is fetched',
    found: isFull ? 'none: it is full' : cause instanceof Error ? cause.message : String(cause),
    todo: isFull
      ? 'free space on this machine, or remove models that you kept, and go on: what has arrived is kept'
      : 'close other tabs of this page, and try again',
    cause,
  });
}
