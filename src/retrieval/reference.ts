/** The bytes of a query's picture. */

import { LincirError, readingFile } from '../core/index.ts';

/** No picture's file is larger. */
const largestPicture = 2 ** 31;

/** A file's bytes; undefined where nothing is. Throws LincirError 'io' and 'bad-file'. */
export async function pictureBytes(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await readingFile(path, async (file) => {
      if (file.size > 0 && file.size <= largestPicture) return await file.read(0, file.size);
      throw new LincirError('bad-file', {
        subject: path,
        expected: `a picture of 1 to ${largestPicture} bytes`,
        found: file.size === 0 ? 'an empty file' : `${file.size} bytes`,
      });
    });
  } catch (error) {
    if (error instanceof LincirError && error.code === 'not-found') return undefined;
    throw error;
  }
}
