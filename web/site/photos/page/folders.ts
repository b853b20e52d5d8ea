/** Gives folders to the worker: by the browser's own picker, by a file input, or dropped. */

import type { ListedFile } from '../engine/scan.ts';
import type { Engine } from './engine.ts';
import { changeSettings, readSettings } from './settings.ts';

/** In browsers that let pages read folders, and remember them. */
interface Picker {
  showDirectoryPicker?: (options: { readonly id: string }) => Promise<FileSystemDirectoryHandle>;
}
interface Permitted extends FileSystemDirectoryHandle {
  queryPermission?(): Promise<PermissionState>;
  requestPermission?(): Promise<PermissionState>;
}

/** Files that go to the worker at once: more would stop the page for a moment. */
const filesAtOnce = 400;

export const canRemember = typeof (window as Picker).showDirectoryPicker === 'function';

/** Asks for a folder. Undefined if the person chose none. */
export async function pickFolder(engine: Engine): Promise<string | undefined> {
  try {
    const handle = await (window as Picker).showDirectoryPicker!({ id: 'lincir-photos' });
    await openHandle(engine, handle);
    return handle.name;
  } catch (error) {
    if ((error as Error).name === 'AbortError') return undefined;
    throw error;
  }
}

export async function openHandle(engine: Engine, handle: FileSystemDirectoryHandle): Promise<void> {
  await engine.call('openFolder', handle);
  const { folders = [] } = await readSettings();
  await changeSettings({ folders: [...folders.filter(({ name }) => name !== handle.name), handle] });
}

/** Opens the folders of earlier visits that the browser lets the page read. Returns the others. */
export async function openRemembered(engine: Engine): Promise<FileSystemDirectoryHandle[]> {
  const { folders = [] } = await readSettings();
  const refused: FileSystemDirectoryHandle[] = [];
  for (const folder of folders) {
    const state = await (folder as Permitted).queryPermission?.().catch(() => 'denied');
    if (state === undefined || state === 'granted') await engine.call('openFolder', folder);
    else refused.push(folder);
  }
  return refused;
}

/** Asks the browser for a folder again. It asks the person, so this must follow a click. */
export async function askAgain(engine: Engine, folder: FileSystemDirectoryHandle): Promise<boolean> {
  const state = await (folder as Permitted).requestPermission?.();
  if (state !== 'granted') return false;
  await engine.call('openFolder', folder);
  return true;
}

/** Gives the files of a folder, as `<input webkitdirectory>` lists them. Returns the folder's name. */
export async function giveFiles(engine: Engine, files: Iterable<File>): Promise<string | undefined> {
  return await giveListed(
    engine,
    toAsync(Array.from(files, (file) => ({ path: file.webkitRelativePath, file }))),
  );
}

async function* toAsync<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

async function giveListed(engine: Engine, files: AsyncIterable<ListedFile>): Promise<string | undefined> {
  let name: string | undefined;
  let some: ListedFile[] = [];
  let isFirst = true;
  const give = async (isLast: boolean) => {
    if (name === undefined) return;
    await engine.call('listFiles', { name, files: some, isFirst, isLast });
    some = [];
    isFirst = false;
  };
  for await (const file of files) {
    name ??= file.path.slice(0, Math.max(0, file.path.indexOf('/'))) || 'Photos';
    some.push(file.path.includes('/') ? file : { ...file, path: `${name}/${file.path}` });
    if (some.length === filesAtOnce) await give(false);
  }
  await give(true);
  return name;
}

/** Gives dropped folders and files. Call it while the drop is handled: later the browser has forgotten them. */
export async function giveDropped(engine: Engine, { items }: DataTransfer): Promise<void> {
  const handles = Array.from(items, (item) =>
    'getAsFileSystemHandle' in item
      ? (item as { getAsFileSystemHandle(): Promise<FileSystemHandle | null> }).getAsFileSystemHandle()
      : undefined,
  );
  const entries = Array.from(items, (item) => item.webkitGetAsEntry?.());
  for (const [at, entry] of entries.entries()) {
    const handle = await handles[at]?.catch(() => null);
    if (handle?.kind === 'directory') await openHandle(engine, handle as FileSystemDirectoryHandle);
    else if (entry?.isDirectory) await giveListed(engine, filesBelow(entry as FileSystemDirectoryEntry));
  }
}

async function* filesBelow(folder: FileSystemDirectoryEntry): AsyncGenerator<ListedFile> {
  const reader = folder.createReader();
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    ).catch(() => []);
    if (entries.length === 0) return;
    for (const entry of entries) {
      if (entry.isDirectory) yield* filesBelow(entry as FileSystemDirectoryEntry);
      else {
        const file = await new Promise<File | undefined>((resolve) =>
          (entry as FileSystemFileEntry).file(resolve, () => resolve(undefined)),
        );
        if (file) yield { path: entry.fullPath.replace(/^\//, ''), file };
      }
    }
  }
}
