/** Where bytes come from: whatever can be read at any position, and the files of a model by their names. */

/** Bytes that can be read at any position: a file, a part of memory, or what a server gives in ranges. */
export interface RandomAccess {
  /** What messages call it: a file's path as the user knows it. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Of a file on disk: its absolute path, links resolved. ONNX Runtime reads weights there by itself. */
  readonly realPath?: string;
  /** Exactly `length` bytes from `offset` on, in their own buffer. The range must lie within `size`. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** The files of a model in Hugging Face layout, wherever they are. */
export interface ModelFiles {
  /** What messages call them: a folder's path as the user knows it. */
  readonly name: string;
  /** The file of this name, which can be read for as long as the model is used; undefined if there is none. */
  read(name: string): Promise<RandomAccess | undefined>;
  /** The names of all files, which a message gives when one is missing. */
  list?(): Promise<readonly string[]>;
}
