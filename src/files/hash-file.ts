/** Names a file by its content. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { asLincirError } from './refusals.ts';

/** SHA-256 of a file, in hex. Throws 'not-found' or 'io'. */
export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  } catch (error) {
    throw asLincirError(error, path, 'read');
  }
  return hash.digest('hex');
}
