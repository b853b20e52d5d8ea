/** Gives folders to the worker: by the browser's own picker, by a file input, or dropped. */

import { isWanted, type ListedFile } from '../engine/scan.ts';
import type { Engine } from './engine.ts';
import { changeSettings, type RememberedFolder, readSettings } from './settings.ts';

/** In browsers that let pages read folders, and remember them. */
interface Picker {
  showDirectoryPicker?: (options: { readonly id: string }) => Promise<FileSystemDirectoryHandle>;
}
interface Permitted extends FileSystemDirectoryHandle {
  queryPermission?(): Promise<PermissionState>;
  requestPermission?(): Promise<PermissionState>;
}

export const canRemember = typeof (window as Picker).showDirectoryPicker === 'function';

/** Asks for a folder. Undefined if the person chose none. */
export async function pickFolder(
  purpose: 'photos' | 'model',
): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    return await (window as Picker).showDirectoryPicker!({ id: `lincir-${purpose}` });
  } catch (error) {
    if ((error as Error).name === 'AbortError') return undefined;
    throw error;
  }
}

/** Opens a folder, and remembers it. */
export async function openHandle(engine: Engine, handle: FileSystemDirectoryHandle): Promise<void> {
  const { folders = [] } = await readSettings();
  let known: string | undefined;
  for (const one of folders) {
    if (await one.handle.isSameEntry(handle)) known = one.name;
    else if (await one.handle.resolve(handle))
      throw new Error(`The folder ${handle.name} is inside ${one.name}, which is here already.`);
  }
  const name = await engine.call('openFolder', { handle, name: known });
  await changeSettings(({ folders: old = [] }) => ({
    folders: [...old.filter((one) => one.name !== name), { name, handle }],
  }));
}

/** Opens the folders of earlier visits that the browser lets the page read. Returns the others. */
export async function openRemembered(engine: Engine): Promise<RememberedFolder[]> {
  const { folders = [] } = await readSettings();
  const refused: RememberedFolder[] = [];
  for (const folder of folders) {
    if (await mayRead(folder.handle)) await engine.call('openFolder', folder);
    else refused.push(folder);
  }
  return refused;
}

export async function mayRead(folder: Permitted): Promise<boolean> {
  const state = await folder.queryPermission?.().catch(() => 'denied');
  return state === undefined || state === 'granted';
}

/** Asks the browser for a folder again. It asks the person, so this must follow a click. */
export async function askAgain(folder: Permitted): Promise<boolean> {
  return (await folder.requestPermission?.()) === 'granted';
}

/** Takes a folder out of the index. It is not opened at the next visit either. */
export async function removeFolder(engine: Engine, name: string): Promise<void> {
  await changeSettings(({ folders = [] }) => ({ folders: folders.filter((one) => one.name !== name) }));
  await engine.call('removeFolder', name);
}

/** Gives the files of a folder, as `<input webkitdirectory>` lists them. */
export async function giveFiles(engine: Engine, files: FileList): Promise<void> {
  await giveListed(engine, nameOf(files[0]), listed(files));
}

/** A folder's name; phones, whose inputs choose no folders, give single files. */
function nameOf(first: File | undefined): string {
  return first?.webkitRelativePath.split('/')[0] || 'Photos';
}

/** Their paths below the folder. */
export async function* listed(files: FileList): AsyncGenerator<ListedFile> {
  for (let at = 0; at < files.length; at++) {
    const file = files[at]!;
    const { webkitRelativePath: path, name } = file;
    yield { path: path === '' ? name : path.slice(path.indexOf('/') + 1), file };
  }
}

/** Gives dropped folders. Call it while the drop is handled: later the browser has forgotten them. */
export async function giveDropped(engine: Engine, { items }: DataTransfer): Promise<void> {
  const handles = Array.from(items, (item) =>
    'getAsFileSystemHandle' in item
      ? (item as { getAsFileSystemHandle(): Promise<FileSystemHandle | null> }).getAsFileSystemHandle()
      : undefined,
  );
  const entries = Array.from(items, (item) => item.webkitGetAsEntry?.());
  if (!entries.some((entry) => entry?.isDirectory))
    throw new Error('Drop the folder that your pictures are in. Single pictures are for searching.');
  for (const [at, entry] of entries.entries()) {
    const handle = await handles[at]?.catch(() => null);
    if (handle?.kind === 'directory') await openHandle(engine, handle as FileSystemDirectoryHandle);
    else if (entry?.isDirectory) {
      const unreadable = new Map<string, string>();
      const files = filesBelow(entry as FileSystemDirectoryEntry, '', unreadable);
      await giveListed(engine, entry.name, files, unreadable);
    }
  }
}

export function hasFolder({ items }: DataTransfer): boolean {
  return Array.from(items).some((item) => item.webkitGetAsEntry?.()?.isDirectory);
}

async function* filesBelow(
  folder: FileSystemDirectoryEntry,
  above: string,
  unreadable: Map<string, string>,
): AsyncGenerator<ListedFile> {
  const reader = folder.createReader();
  try {
    for (;;) {
      const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject),
      );
      if (entries.length === 0) return;
      for (const entry of entries) {
        const path = above === '' ? entry.name : `${above}/${entry.name}`;
        if (entry.isDirectory) yield* filesBelow(entry as FileSystemDirectoryEntry, path, unreadable);
        else yield { path, file: await fileOf(entry as FileSystemFileEntry) };
      }
    }
  } catch (error) {
    unreadable.set(above, error instanceof Error ? error.message : `${error}`);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** Milliseconds that the page may stop. To give a file takes a browser a moment, in which the page stands still. */
const slice = 20;
const mostAtOnce = 1000;

async function giveListed(
  engine: Engine,
  name: string,
  files: AsyncIterable<ListedFile>,
  unreadable: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  let some: ListedFile[] = [];
  let skipped = new Map<string, number>();
  let isFirst = true;
  let isAny = false;
  let atOnce = 20;
  let begin = performance.now();
  const give = async (isLast: boolean) => {
    const start = performance.now();
    const told = { unreadable: isLast ? unreadable : new Map<string, string>(), isFirst, isLast };
    const given = engine.call('listFiles', { name, files: some, skipped, ...told });
    const each = (performance.now() - start) / Math.max(1, some.length);
    atOnce = Math.min(mostAtOnce, Math.max(1, Math.floor(slice / Math.max(each, 1e-3))));
    some = [];
    skipped = new Map();
    isFirst = false;
    await given;
    begin = performance.now();
  };
  for await (const file of files) {
    isAny = true;
    if (isWanted(file.path, skipped)) some.push(file);
    if (some.length >= atOnce) await give(false);
    else if (performance.now() - begin > slice) {
      await new Promise((resolve) => setTimeout(resolve));
      begin = performance.now();
    }
  }
  if (!isAny && unreadable.size === 0) throw new Error('There are no files in this folder.');
  await give(true);
}
