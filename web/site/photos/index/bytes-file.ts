/** Files that grow and are read anywhere: in the browser's private file system, or in memory where there is none. */

/** Offsets and sizes are in bytes. */
export interface BytesFile {
  readonly size: number;
  /** Fills `into` from `at` on. Returns how many bytes there were. */
  read(into: Uint8Array, at: number): number;
  /** Writes all at `at`, or throws. */
  write(bytes: Uint8Array, at: number): void;
  truncate(size: number): void;
  /** What was written is on the disk afterwards. */
  flush(): void;
  close(): void;
}

/** A folder of such files. */
export interface BytesFolder {
  open(name: string): Promise<BytesFile>;
  names(): Promise<string[]>;
  remove(name: string): Promise<void>;
}

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

/** For as long as the page is open. */
export function memoryFolder(): BytesFolder {
  const files = new Map<string, MemoryFile>();
  return {
    async open(name) {
      const file = files.get(name) ?? new MemoryFile();
      files.set(name, file);
      return file;
    },
    names: async () => [...files.keys()],
    remove: async (name) => void files.delete(name),
  };
}

const pieceSize = 2 ** 16;

class MemoryFile implements BytesFile {
  readonly #pieces: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  read(into: Uint8Array, at: number): number {
    const length = Math.max(0, Math.min(into.length, this.#size - at));
    this.#each(at, length, (piece, from, done) => {
      into.set(piece.subarray(from, Math.min(pieceSize, from + length - done)), done);
    });
    return length;
  }

  write(bytes: Uint8Array, at: number): void {
    while (this.#pieces.length * pieceSize < at + bytes.length) this.#pieces.push(new Uint8Array(pieceSize));
    this.#each(at, bytes.length, (piece, from, done) => {
      piece.set(bytes.subarray(done, done + pieceSize - from), from);
    });
    this.#size = Math.max(this.#size, at + bytes.length);
  }

  truncate(size: number): void {
    this.#size = Math.min(this.#size, size);
    this.#pieces.length = Math.ceil(this.#size / pieceSize);
  }

  flush(): void {}

  close(): void {}

  #each(at: number, length: number, take: (piece: Uint8Array, from: number, done: number) => void): void {
    for (let done = 0; done < length; ) {
      const from = (at + done) % pieceSize;
      take(this.#pieces[Math.floor((at + done) / pieceSize)]!, from, done);
      done += pieceSize - from;
    }
  }
}
