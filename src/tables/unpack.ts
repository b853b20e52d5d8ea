/** Unpacks gzip and Zstandard files with any number of parts: all bytes, or an error. */

import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { LincirError } from '../core/index.ts';
import { asLincirError, readingFile } from '../files/index.ts';

/** A file of captions on disk. */
export interface CaptionFile {
  readonly path: string;
  /** Size on disk, in bytes. */
  readonly size: number;
}

export type Packing = 'gz' | 'zst';

const bytesPerRead = 2 ** 18;
const zstd = {
  magic: 0xfd2fb528,
  skippable: 0x184d2a50,
  headerBytes: 18,
  blockHeaderBytes: 3,
  checksumBytes: 4,
};

/** A file's bytes, unpacked. Throws 'not-found' and 'io', and 'bad-file' for data that is broken or cut short. */
export async function* bytesOf(
  file: CaptionFile,
  packing: Packing | undefined,
): AsyncGenerator<Buffer, void, void> {
  try {
    if (packing === 'gz') yield* gunzipped(file);
    else if (packing === 'zst') yield* zstdUnpacked(file);
    else yield* chunksFrom(file.path, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && /^Z(STD)?_/.test(String(error.code)))) {
      throw asLincirError(error, file.path, 'read');
    }
    throw brokenData(file, packing === 'gz' ? 'gzip' : 'Zstandard', error.message, error);
  }
}

/** As gzip and Python do it: members follow each other, with zeros after any of them as padding, and nothing else. */
async function* gunzipped({ path, size }: CaptionFile): AsyncGenerator<Buffer, void, void> {
  for (let begin = 0; begin < size; begin = await endOfZeros(path, begin, size)) {
    // Continues with the next member, and stops silently at a zero.
    const members = createGunzip({ chunkSize: bytesPerRead });
    yield* unpacking(chunksFrom(path, begin), members);
    begin += members.bytesWritten;
  }
}

async function* zstdUnpacked(file: CaptionFile): AsyncGenerator<Buffer, void, void> {
  let problem: unknown;
  const soundFrames = async function* () {
    try {
      yield* zstdFrames(file);
    } catch (error) {
      problem = error;
    }
  };
  // Node stops silently if a chunk has more than the rest of a frame, but begins a new frame with the next chunk.
  const frames = createZstdDecompress({ chunkSize: bytesPerRead });
  yield* unpacking(Readable.from(soundFrames(), { objectMode: false, highWaterMark: 1 }), frames);
  if (problem !== undefined) throw problem;
}

/**
 * The frames of a Zstandard file without skippable ones, in chunks that never cross into another frame.
 * The format: https://www.rfc-editor.org/rfc/rfc8878#section-3
 */
async function* zstdFrames(file: CaptionFile): AsyncGenerator<Buffer, void, void> {
  const bytes = new ByteReader(chunksFrom(file.path, 0), () =>
    brokenData(file, 'Zstandard', 'unexpected end of file'),
  );
  while ((await bytes.peek(1)).length > 0) {
    const head = await bytes.peek(zstd.headerBytes);
    const magic = head.length < 8 ? 0 : head.readUInt32LE();
    if (magic >>> 4 === zstd.skippable >>> 4) {
      for (let left = 8 + head.readUInt32LE(4); left > 0; left -= bytesPerRead) {
        await bytes.take(Math.min(left, bytesPerRead));
      }
      continue;
    }
    if (magic !== zstd.magic)
      throw brokenData(
        file,
        'Zstandard',
        head.length < 8 ? 'unexpected end of file' : 'a part that is something else',
      );
    const descriptor = head[4]!;
    let pieces = [await bytes.take(5 + headerFieldBytes(descriptor))];
    let length = 0;
    for (let isLast = false; !isLast; ) {
      const block = await bytes.take(zstd.blockHeaderBytes);
      const header = block.readUIntLE(0, zstd.blockHeaderBytes);
      isLast = header % 2 === 1;
      const isOneByteRepeated = ((header >> 1) & 3) === 1;
      pieces.push(block, await bytes.take(isOneByteRepeated ? 1 : header >> 3));
      length += header >> 3;
      if (length < bytesPerRead || isLast) continue;
      yield Buffer.concat(pieces);
      [pieces, length] = [[], 0];
    }
    const hasChecksum = (descriptor & 4) !== 0;
    if (hasChecksum) pieces.push(await bytes.take(zstd.checksumBytes));
    yield Buffer.concat(pieces);
  }
}

/** Length of what follows a frame's descriptor: window size, dictionary number, content size. */
function headerFieldBytes(descriptor: number): number {
  const isSingleSegment = (descriptor >> 5) & 1;
  const contentBytes = [isSingleSegment, 2, 4, 8][descriptor >> 6]!;
  return 1 - isSingleSegment + [0, 1, 2, 4][descriptor & 3]! + contentBytes;
}

/** Reads numbers of bytes from chunks of any size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #cutShort: () => LincirError;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>, cutShort: () => LincirError) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#cutShort = cutShort;
  }

  /** Peeks at the next bytes; fewer at the end. */
  async peek(count: number): Promise<Buffer> {
    while (this.#rest.length < count) {
      const { value, done } = await this.#chunks.next();
      if (done) break;
      this.#rest = Buffer.concat([this.#rest, value]);
    }
    return this.#rest.subarray(0, count);
  }

  /** Takes exactly so many bytes. */
  async take(count: number): Promise<Buffer> {
    const bytes = await this.peek(count);
    if (bytes.length < count) throw this.#cutShort();
    this.#rest = this.#rest.subarray(count);
    return bytes;
  }
}

async function endOfZeros(path: string, begin: number, size: number): Promise<number> {
  return await readingFile(path, async (file) => {
    for (let at = begin; at < size; at += bytesPerRead) {
      const bytes = await file.read(at, Math.min(bytesPerRead, size - at));
      const other = bytes.findIndex((byte) => byte !== 0);
      if (other >= 0) return at + other;
    }
    return size;
  });
}

function chunksFrom(path: string, start: number): Readable {
  return createReadStream(path, { start, highWaterMark: bytesPerRead });
}

function unpacking<T extends NodeJS.ReadWriteStream>(chunks: Readable, unpacker: T): T {
  // Errors of either stream end the unpacker, and its reader gets them.
  pipeline(chunks, unpacker, () => {});
  return unpacker;
}

function brokenData({ path }: CaptionFile, format: string, found: string, cause?: unknown): LincirError {
  return new LincirError('bad-file', {
    subject: path,
    expected: `whole ${format} data`,
    found,
    todo: 'get the file again, or check that its name says what it is',
    cause,
  });
}
