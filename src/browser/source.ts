/** The bytes of an image in a browser, which reads no paths. */

import { LincirError, quoted } from '../core/index.ts';
import type { EncodedSource } from '../pixels/index.ts';

/** Limit of an image's file, since a buffer is no larger. */
const mostImageBytes = 2 ** 31;

/** The name of an image in errors: a file has its own. */
export function nameOf(source: EncodedSource, given: string): string {
  return source instanceof Blob && 'name' in source ? String(source.name) : given;
}

/** Throws LincirError 'io' for a file that is not there any more, 'bad-file' for one that is too large, 'bad-argument' for a path. */
export async function bytesOf(source: EncodedSource, name: string): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof Blob) return new Uint8Array(await bufferOf(source, name));
  if (source instanceof URL && source.protocol === 'data:') {
    const answer = await fetch(source).catch((cause: unknown) => {
      throw notAnImage(name, 'a data: URL that cannot be read', cause);
    });
    return new Uint8Array(await answer.arrayBuffer());
  }
  if (source instanceof URL || typeof source === 'string') {
    throw new LincirError('bad-argument', {
      subject: name,
      expected: 'bytes, a Blob, pixels or a data: URL',
      found: quoted(source instanceof URL ? source.href : source),
      todo: 'browsers read no paths: fetch it yourself, and give its bytes or a Blob',
    });
  }
  const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

export function notAnImage(subject: string, found: string, cause?: unknown, todo?: string): LincirError {
  const problem = { subject, expected: 'a whole image', found, cause };
  return new LincirError('bad-file', todo === undefined ? problem : { ...problem, todo });
}

async function bufferOf(blob: Blob, name: string): Promise<ArrayBuffer> {
  if (blob.size > mostImageBytes) throw notAnImage(name, `${blob.size} bytes`);
  return await blob.arrayBuffer().catch((cause: unknown) => {
    throw new LincirError('io', {
      subject: name,
      expected: 'a file that can be read',
      found: cause instanceof Error ? cause.message : String(cause),
      todo: 'choose it again: it may have been changed, moved or deleted since',
      cause,
    });
  });
}
