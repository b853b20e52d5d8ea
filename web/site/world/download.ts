/** Fetches the miniature world's files, and unpacks them while they come. */

import { LincirError, type RandomAccess } from '../../../src/core/index.ts';
import { type PackedFile, packedFiles, together } from './packed.ts';

/** Bytes that have come, and that will come. */
export type OnBytes = (bytes: number, total: number) => void;

/**
 * A file's bytes.
 * @param data the folder that has it
 * @throws LincirError 'network' when it does not come whole
 */
export async function download(
  data: URL,
  name: PackedFile,
  onBytes: OnBytes = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const failed = (found: string, cause?: unknown) =>
    new LincirError('network', {
      subject: `${data.pathname}${name}`,
      expected: 'a file of this page',
      found,
      todo: 'check the connection, and load the page again',
      cause,
    });
  try {
    const response = await fetch(new URL(name, data));
    if (!response.ok || !response.body) throw failed(`status ${response.status}`);
    const total = Number(response.headers.get('content-length') ?? 0);
    let bytes = 0;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform(chunk, controller) {
          bytes += chunk.length;
          onBytes(bytes, Math.max(bytes, total));
          controller.enqueue(chunk);
        },
      }),
    );
    const unpacked = counted.pipeThrough(new DecompressionStream('gzip'));
    return together(new Uint8Array(await new Response(unpacked).arrayBuffer()), packedFiles[name]);
  } catch (cause) {
    throw cause instanceof LincirError
      ? cause
      : failed(cause instanceof Error ? cause.message : `${cause}`, cause);
  }
}

/** Bytes in memory as a file. */
export function memoryFile(name: string, bytes: Uint8Array): RandomAccess {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
  };
}
