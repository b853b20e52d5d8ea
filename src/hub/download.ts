/** Downloads one file into the cache: resumes where it stopped, checks size and hash, then puts it into place. */

import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LincirError, quoted } from '../core/index.ts';
import { exclusively, Interruption, makeFolder } from '../files/index.ts';
import { linkIntoSnapshot, type Repository, sizeOf } from './cache.ts';
import { type Connection, get, persistently } from './request.ts';

/** A file of a commit, as the hub lists it. */
export interface RemoteFile {
  /** For messages: the model and the file. */
  readonly subject: string;
  readonly name: string;
  /** Its path on the hub, without the endpoint. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** The blob's name: 64 digits are the content's SHA-256, 40 its hash as a git object. */
  readonly etag: string;
}

/**
 * Puts `file` into the commit's snapshot, and downloads only what the cache lacks. `onReceived` gets the number of bytes
 * that are there, first those of the cache, at last all. Throws `network`, `not-found`, and the signal's reason.
 */
export async function fetchFile(
  repository: Repository,
  commit: string,
  file: RemoteFile,
  connection: Connection,
  symlinks: boolean,
  onReceived: (bytes: number) => void,
): Promise<void> {
  const path = join(repository.snapshot(commit), file.name);
  const blob = repository.blob(file.etag);
  const isBlobThere = async () => (await sizeOf(blob)) === file.size;

  if ((await sizeOf(path)) !== file.size) {
    if (!(await isBlobThere())) {
      await exclusively(repository.lock(file.etag), connection.signal, async () => {
        if (!(await isBlobThere())) await downloadBlob(file, blob, connection, onReceived);
      });
    }
    await linkIntoSnapshot(blob, path, symlinks);
  }
  onReceived(file.size);
}

/**
 * Receives into `BLOB.incomplete`, where an interrupted download leaves its bytes. Every byte is written at its own
 * position, and all are read again for the hash. So the blob is right even if two processes write at once.
 */
async function downloadBlob(
  file: RemoteFile,
  blob: string,
  connection: Connection,
  onReceived: (bytes: number) => void,
): Promise<void> {
  const partial = `${blob}.incomplete`;
  await makeFolder(dirname(blob));
  await receive(file, partial, connection, onReceived);
  const hash = await hashOf(partial, file, connection.signal);
  if (hash !== file.etag) await discard(partial, file, `the hash ${hash}`);
  await rename(partial, blob);
}

async function receive(
  file: RemoteFile,
  partial: string,
  connection: Connection,
  onReceived: (bytes: number) => void,
): Promise<void> {
  const handle = await open(partial, constants.O_RDWR | constants.O_CREAT, 0o666);
  try {
    let received = (await handle.stat()).size;
    if (received > file.size) await discard(partial, file, `${received} bytes in ${partial}`);
    let furthest = received;
    await persistently(connection, file.subject, async (advanced) => {
      onReceived(received);
      if (received === file.size && received > 0) return;
      const range: Record<string, string> = received > 0 ? { range: `bytes=${received}-` } : {};
      await get(connection, file.subject, file.path, range, async (response, body) => {
        // A server may answer a request for a range with the whole file.
        if (response.status === 200) received = 0;
        const size = promisedSize(response, received);
        if (size !== undefined && size !== file.size) await discard(partial, file, lengthTold(response));
        for await (const chunk of body) {
          if (received + chunk.length > file.size) await discard(partial, file, 'more bytes');
          await writeAll(handle, chunk, received);
          received += chunk.length;
          if (received > furthest) {
            furthest = received;
            advanced();
          }
          onReceived(received);
        }
        if (received < file.size) throw new Interruption(`an end after ${received} of ${file.size} bytes`);
      });
    });
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const left = bytes.length - written;
    written += (await handle.write(bytes, written, left, position + written)).bytesWritten;
  }
}

async function discard(partial: string, file: RemoteFile, found: string): Promise<never> {
  await rm(partial, { force: true });
  throw new LincirError('network', {
    subject: file.subject,
    expected: `${file.size} bytes with the hash ${file.etag}`,
    found,
    todo: 'nothing of it was kept; run this again, and suspect a proxy or mirror if it happens again',
  });
}

/** The whole file's size in the response; undefined if it has none, NaN if the range is not the requested one. */
function promisedSize(response: Response, start: number): number | undefined {
  const { headers, status } = response;
  if (status !== 200) {
    const [, from, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? [];
    return Number(from) === start ? Number(size) : Number.NaN;
  }
  const length = headers.get('content-length');
  return length === null || headers.has('content-encoding') ? undefined : Number(length);
}

function lengthTold({ status, headers }: Response): string {
  return `HTTP status ${status} with ${quoted(headers.get('content-range') ?? headers.get('content-length'))} bytes`;
}

async function hashOf(path: string, file: RemoteFile, signal: AbortSignal | undefined): Promise<string> {
  const isGit = file.etag.length === 40;
  const hash = createHash(isGit ? 'sha1' : 'sha256');
  if (isGit) hash.update(`blob ${file.size}\0`);
  const content = createReadStream(path, { highWaterMark: 2 ** 20, signal });
  for await (const chunk of content) hash.update(chunk);
  return hash.digest('hex');
}
