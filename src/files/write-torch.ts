/** Writes PyTorch checkpoints, as torch.save does: zip files without compression, whole or not at all. */

import { createHash } from 'node:crypto';
import { pickleCheckpoint, type TorchValue } from '../core/index.ts';
import { writeFileAtomically } from './write-file.ts';

/** Tensors begin at multiples of it, as PyTorch's do. */
const alignment = 64;
/** Bytes of a zip's local header before its name. */
const localHeader = 30;
/** Of the extra field that fills up to the alignment. PyTorch's own has this id. */
const fillerHeader = 4;
const fillerId = 0x4246;
/** The same values always give the same bytes: a file that was sent once need not be sent again. */
const time = new Date(1980, 0, 1);
/** Bytes that are handed over at once, so that memory holds no second copy of a tensor. */
const chunkLength = 2 ** 20;

/**
 * Writes a checkpoint that `torch.load(path, weights_only=True)` reads, atomically. Besides the tensors, it takes a few MiB.
 * @param onWritten gets the file's SHA-256 in hex, before the file is put into place. If it fails, no file is
 * @throws LincirError 'io', and what `onWritten` throws
 */
export async function writeTorchCheckpoint(
  path: string,
  checkpoint: ReadonlyMap<string, TorchValue>,
  onWritten?: (sha256: string) => Promise<void>,
): Promise<void> {
  const { Zip, ZipPassThrough } = await import('fflate'); // all other commands do without
  const { pickle, tensors } = pickleCheckpoint(checkpoint);
  const records: (readonly [string, Uint8Array])[] = [
    ['data.pkl', pickle],
    ['byteorder', Buffer.from('little')],
    ...tensors.map(({ data }, key) => [`data/${key}`, bytesOf(data)] as const),
    ['version', Buffer.from('3\n')],
  ];
  await writeFileAtomically(path, async (file) => {
    let ready: Uint8Array[] = [];
    let written = 0;
    const hash = createHash('sha256');
    const zip = new Zip((error, chunk) => {
      if (error) throw error;
      ready.push(chunk);
    });
    const flush = async () => {
      for (const chunk of ready) {
        await file.writeFile(chunk);
        hash.update(chunk);
        written += chunk.length;
      }
      ready = [];
    };
    for (const [record, bytes] of records) {
      const name = `archive/${record}`;
      const entry = new ZipPassThrough(name);
      entry.mtime = time;
      const fill = -(written + localHeader + name.length + fillerHeader) & (alignment - 1);
      entry.extra = { [fillerId]: new Uint8Array(fill) };
      zip.add(entry);
      for (let at = 0; at < bytes.length; at += chunkLength) {
        entry.push(bytes.subarray(at, at + chunkLength));
        await flush();
      }
      entry.push(new Uint8Array(), true);
      await flush();
    }
    zip.end();
    await flush();
    await onWritten?.(hash.digest('hex'));
  });
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
