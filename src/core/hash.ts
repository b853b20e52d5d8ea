/** SHA-256 with the Web Cryptography API, which every runtime has. */

/** The 32 bytes of the hash of all parts, one after the other; texts count as UTF-8. */
export async function sha256(...parts: readonly (string | Uint8Array<ArrayBuffer>)[]): Promise<DataView> {
  return new DataView(await crypto.subtle.digest('SHA-256', await new Blob([...parts]).arrayBuffer()));
}
