/** JSON files on disk. */

import { readJson } from '../core/index.ts';
import { readingFile } from './file-source.ts';

/** Reads a JSON file of at most `limit` bytes. Throws 'not-found', 'io' or 'bad-file'. */
export async function readJsonFile(path: string, limit?: number): Promise<unknown> {
  return await readingFile(path, (file) => readJson(file, limit));
}
