/** JSON out of files, stricter than JSON.parse: valid UTF-8, no key twice, a bounded size. */

import { LincirError, quoted } from './errors.ts';
import { readingFile } from './files.ts';

/** The size of the largest JSON text that is read: hostile JSON takes 30 times its own size in memory. */
export const jsonByteLimit = 2 ** 24;

/** Reads a JSON file of at most `limit` bytes. Throws 'not-found', 'io' or 'bad-file'. */
export async function readJsonFile(path: string, limit = jsonByteLimit): Promise<unknown> {
  return await readingFile(path, async (file) => {
    if (file.size > limit) {
      throw new LincirError('bad-file', {
        subject: path,
        expected: `JSON of at most ${limit} bytes`,
        found: `${file.size} bytes`,
      });
    }
    return parseJson(await file.read(0, file.size), path);
  });
}

/** Parses UTF-8 JSON. Throws 'bad-file', naming `subject`. */
export function parseJson(bytes: Uint8Array, subject: string): unknown {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    throw new LincirError('bad-file', { subject, expected: 'JSON in UTF-8', found, cause: error });
  }
  const key = repeatedKey(text);
  if (key !== undefined) {
    throw new LincirError('bad-file', { subject, expected: 'every key once', found: `${quoted(key)} twice` });
  }
  return value;
}

/** A key that one object of this valid JSON text holds twice: JSON.parse keeps the last and says nothing. */
function repeatedKey(json: string): string | undefined {
  const objects: Set<string>[] = [];
  const colon = /\s*:/y;
  for (let at = 0; at < json.length; at += 1) {
    if (json[at] === '{') {
      objects.push(new Set());
    } else if (json[at] === '}') {
      objects.pop();
    } else if (json[at] === '"') {
      const begin = at;
      for (at += 1; json[at] !== '"'; at += 1) {
        at += json[at] === '\\' ? 1 : 0;
      }
      colon.lastIndex = at + 1;
      if (colon.test(json)) {
        const key: string = JSON.parse(json.slice(begin, at + 1));
        const keys = objects.at(-1);
        if (keys?.has(key)) {
          return key;
        }
        keys?.add(key);
      }
    }
  }
  return undefined;
}
