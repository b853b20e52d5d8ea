/** Sources of bytes: what can be read at any position, and the files of a model by their names. */

/** Bytes that can be read at any position: a file, a part of memory, or what a server gives in ranges. */
export interface RandomAccess {
  /** Its name in messages: a file's path as the user knows it. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** The absolute path of a file on disk, with links resolved. ONNX Runtime reads weights there itself. */
  readonly realPath?: string;
  /** Exactly `length` bytes from `offset` on, in their own buffer. The range must lie within `size`. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** The files of a model, wherever they are. */
export interface ModelFiles {
  /** Their name in messages: a folder's path as the user knows it. */
  readonly name: string;
  /** The weights, if the model is a single file. `read` then finds what lies beside it. */
  readonly single?: RandomAccess;
  /** The file of this name, which must be readable as long as the model is in use; undefined if there is none. */
  read(name: string): Promise<RandomAccess | undefined>;
  /** The names of all files, for the message when one is missing. */
  list?(): Promise<readonly string[]>;
}
