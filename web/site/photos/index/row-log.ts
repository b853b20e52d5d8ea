/**
 * The file of an index: a log of what has become of pictures, each entry with its embedding. A tab may be closed while it
 * writes: an entry that is not whole ends the log, and is cut off when the file is opened again.
 */

import { z } from 'zod';
import { parseJsonText } from '../../../../src/core/index.ts';
import type { BytesFile } from './bytes-file.ts';

/** What all embeddings of a log have in common. */
const header = z.object({
  version: z.literal(1),
  /** Of the model. */
  fingerprint: z.string(),
  model: z.string(),
  dimensions: z.int().min(1).max(8192),
});

const file = { path: z.string(), size: z.number(), modified: z.number() };

/** What the camera wrote into it. Indexes of earlier versions have none. */
const photo = z.object({
  /** By the camera's own clock: ISO 8601 without a zone. */
  taken: z.string().nullable(),
  camera: z.string().nullable(),
  lens: z.string().nullable(),
  latitude: z.number().nullable(),
  longitude: z.number().nullable(),
});

const entry = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('picture'),
    id: z.string(),
    ...file,
    width: z.number(),
    height: z.number(),
    /** SHA-256 of its bytes, in hex. */
    hash: z.string(),
    /** Where its thumbnail lies: offset and length. */
    thumbnail: z.tuple([z.number(), z.number()]),
    photo: photo.optional(),
  }),
  /** It cannot be used as long as it does not change. */
  z.object({ kind: z.literal('broken'), ...file, reason: z.string() }),
  z.object({ kind: z.literal('gone'), path: z.string() }),
]);

export type LogHeader = z.infer<typeof header>;
export type LogEntry = z.infer<typeof entry>;
export type PictureEntry = Extract<LogEntry, { kind: 'picture' }>;
export type BrokenEntry = Extract<LogEntry, { kind: 'broken' }>;
/** Pictures have an embedding, as CLIP gives it. */
export type LoggedEntry = LogEntry & { readonly embedding?: Float32Array };

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Before an entry: bytes of its JSON, numbers of its embedding, and a check of both. */
const frameBytes = 12;
const mostJson = 2 ** 20;
const readAtOnce = 2 ** 22;

export class RowLog {
  readonly header: LogHeader;
  readonly #file: BytesFile;
  #end: number;

  private constructor(file: BytesFile, header: LogHeader, end: number) {
    this.#file = file;
    this.header = header;
    this.#end = end;
  }

  /** Begins a log: whatever the file had is gone. */
  static begin(file: BytesFile, header: LogHeader): RowLog {
    file.truncate(0);
    const bytes = framed(encoder.encode(JSON.stringify(header)));
    file.write(bytes, 0);
    file.flush();
    return new RowLog(file, header, bytes.length);
  }

  /** Reads a log, and cuts off what is not whole. Undefined if the file is none. */
  static read(
    file: BytesFile,
    onHeader: (header: LogHeader) => (entry: LoggedEntry) => void,
  ): RowLog | undefined {
    let onEntry: (entry: LoggedEntry) => void = () => {};
    let log: RowLog | undefined;
    let end = 0;
    for (const { json, embedding, next } of frames(file)) {
      const value = parsed(json);
      if (log === undefined) {
        const checked = header.safeParse(value);
        if (!checked.success) return undefined;
        log = new RowLog(file, checked.data, next);
        onEntry = onHeader(checked.data);
      } else {
        const checked = entry.safeParse(value);
        const isPicture = checked.data?.kind === 'picture';
        if (!checked.success || embedding.length !== (isPicture ? log.header.dimensions : 0)) break;
        onEntry(isPicture ? { ...checked.data, embedding } : checked.data);
      }
      end = next;
    }
    if (log === undefined) return undefined;
    log.#end = end;
    if (file.size > end) file.truncate(end);
    return log;
  }

  /** Adds entries: all of them, or none if there is no room, and throws. They are on the disk afterwards. */
  append(entries: readonly LoggedEntry[]): void {
    const bytes = joined(
      entries.map(({ embedding, ...facts }) => framed(encoder.encode(JSON.stringify(facts)), embedding)),
    );
    try {
      this.#file.write(bytes, this.#end);
      this.#file.flush();
    } catch (error) {
      this.#file.truncate(this.#end);
      throw error;
    }
    this.#end += bytes.length;
  }

  close(): void {
    this.#file.close();
  }
}

function framed(json: Uint8Array, embedding: Float32Array = new Float32Array()): Uint8Array<ArrayBuffer> {
  const padded = Math.ceil(json.length / 4) * 4;
  const bytes = new Uint8Array(frameBytes + padded + embedding.byteLength);
  bytes.fill(0x20, frameBytes, frameBytes + padded);
  bytes.set(json, frameBytes);
  bytes.set(
    new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength),
    frameBytes + padded,
  );
  new Uint32Array(bytes.buffer).set([padded, embedding.length, checkOf(bytes.subarray(frameBytes))]);
  return bytes;
}

/** The whole frames of a file. */
function* frames(file: BytesFile): Generator<{ json: string; embedding: Float32Array; next: number }> {
  const { size } = file;
  const window = new Uint8Array(Math.min(size, readAtOnce));
  let start = 0; // of the window in the file
  let filled = file.read(window, 0);
  let at = 0;
  const has = (length: number) => {
    if (at + length <= filled) return true;
    if (start + at + length > size || length > window.length) return false;
    start += at;
    at = 0;
    filled = file.read(window, start);
    return length <= filled;
  };
  while (has(frameBytes)) {
    const [json, numbers, check] = new Uint32Array(window.slice(at, at + frameBytes).buffer);
    const length = frameBytes + json! + numbers! * 4;
    if (json! > mostJson || json! % 4 !== 0 || numbers! > 8192 || !has(length)) return;
    const body = window.slice(at + frameBytes, at + length);
    if (checkOf(body) !== check) return;
    at += length;
    const text = decoder.decode(body.subarray(0, json));
    yield { json: text, embedding: new Float32Array(body.buffer, json, numbers), next: start + at };
  }
}

/** FNV-1a over words of four bytes. */
function checkOf(bytes: Uint8Array): number {
  const words =
    bytes.byteOffset % 4 === 0
      ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
      : new Uint32Array(bytes.slice().buffer);
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193) ^ (word >>> 15);
  return hash >>> 0;
}

function parsed(json: string): unknown {
  try {
    return parseJsonText(json, 'an index');
  } catch {
    return undefined;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
