/** Files that grow and are read anywhere, in the browser's private file system. */

import type { BytesFile, BytesFolder } from './bytes-file.ts';

/** Of the browser's private file system. Only workers have these files, and each file has one owner. */
export function privateFolder(folder: FileSystemDirectoryHandle): BytesFolder {
  return {
    async open(name) {
      const handle = await folder.getFileHandle(name, { create: true });
      return new PrivateFile(await owned(handle as SyncFileHandle));
    },
    names: () => Array.fromAsync(folder.keys()),
    remove: (name) => folder.removeEntry(name),
  };
}

/** In TypeScript's library these are only where nothing of the page is. */
interface SyncFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<SyncAccessHandle>;
}

interface SyncAccessHandle {
  getSize(): number;
  read(into: Uint8Array, options: { readonly at: number }): number;
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** A tab that has just been closed may own the file for a moment yet. */
async function owned(handle: SyncFileHandle): Promise<SyncAccessHandle> {
  for (let tries = 1; ; tries++) {
    try {
      return await handle.createSyncAccessHandle();
    } catch (error) {
      if (tries === 20 || (error as Error).name !== 'NoModificationAllowedError') throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

class PrivateFile implements BytesFile {
  readonly #handle: SyncAccessHandle;

  constructor(handle: SyncAccessHandle) {
    this.#handle = handle;
  }

  get size(): number {
    return this.#handle.getSize();
  }

  read(into: Uint8Array, at: number): number {
    return this.#handle.read(into, { at });
  }

  write(bytes: Uint8Array, at: number): void {
    const written = this.#handle.write(bytes, { at });
    if (written === bytes.length) return;
    throw new DOMException(`${written} of ${bytes.length} bytes fit`, 'QuotaExceededError');
  }

  truncate(size: number): void {
    this.#handle.truncate(size);
  }

  flush(): void {
    this.#handle.flush();
  }

  close(): void {
    this.#handle.close();
  }
}
