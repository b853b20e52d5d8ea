/** Files that grow and are read anywhere, and such files in memory. */

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
