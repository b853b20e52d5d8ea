/** The hash that names a file on the hub, computed part by part: what browsers have of their own needs the whole in memory. */

import { createSHA1, createSHA256 } from 'hash-wasm';

/** Gets a file from its beginning to its end. */
export interface BlobHash {
  update(bytes: Uint8Array): void;
  /** The hash of all, in hex. */
  digest(): string;
}

/** Of the same kind as the etag: 64 digits of SHA-256, or 40 of a git object's SHA-1. */
export async function blobHash(etag: string, size: number): Promise<BlobHash> {
  const isGit = etag.length === 40;
  const hash = await (isGit ? createSHA1() : createSHA256());
  hash.init();
  if (isGit) hash.update(`blob ${size}\0`);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
}
