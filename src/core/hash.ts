/** SHA-256 with the Web Cryptography API, which every runtime has, though browsers keep it from insecure pages. */

import { LincirError } from './errors.ts';

/** The 32 bytes of the hash of all parts, one after the other; texts count as UTF-8. */
export async function sha256(...parts: readonly (string | Uint8Array<ArrayBuffer>)[]): Promise<DataView> {
  expectSecure();
  return new DataView(await crypto.subtle.digest('SHA-256', await new Blob([...parts]).arrayBuffer()));
}

/** Throws LincirError 'device' on a page without HTTPS. */
export function expectSecure(): void {
  if (globalThis.crypto?.subtle !== undefined) return;
  throw new LincirError('device', {
    subject: 'this page',
    expected: 'to come by HTTPS, or from localhost',
    found: 'neither: so browsers give it no hashes and no storage',
    todo: 'serve it by HTTPS',
  });
}
