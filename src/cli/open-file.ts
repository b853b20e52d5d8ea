/** Opens files and addresses with the program that the system has for them. */

import { access } from 'node:fs/promises';
import { LincirError, unquoted } from '../core/index.ts';
import { asLincirError } from '../files/index.ts';

/** Opens a file. Throws 'not-found' if it is not there, and 'io' if nothing opens it. */
export async function openFile(path: string): Promise<void> {
  try {
    await access(path);
  } catch (error) {
    throw asLincirError(error, path, 'read');
  }
  await openAddress(path);
}

/** Opens a web page in a browser. Throws 'io' if there is none. */
export async function openAddress(address: string): Promise<void> {
  try {
    await (await import('open')).default(address);
  } catch (cause) {
    throw new LincirError('io', {
      subject: address,
      expected: 'a program that opens it',
      found: cause instanceof Error ? unquoted(cause.message) : 'none',
      todo: 'open it yourself',
      cause,
    });
  }
}
