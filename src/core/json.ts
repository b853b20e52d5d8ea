/** JSON from files, stricter than JSON.parse: valid UTF-8, no key twice, and limits for whatever could fill memory or stack. */

import { LincirError, quoted, unquoted } from './errors.ts';
import type { RandomAccess } from './source.ts';

/** Default limit of a JSON text, in bytes. */
export const jsonByteLimit = 2 ** 24;
/** Ten times as deep as any file that we read. Python's reader has the same limit. */
const depthLimit = 1000;
/** A list, object or key may be two characters of text, but takes some hundred bytes of memory. So their number is limited. */
const fewParts = 2 ** 19;
const charactersPerPart = 32;

/** Reads a JSON file of at most `limit` bytes. Throws 'bad-file', and what reading throws. */
export async function readJson(file: RandomAccess, limit = jsonByteLimit): Promise<unknown> {
  if (file.size > limit) {
    throw new LincirError('bad-file', {
      subject: file.name,
      expected: `JSON of at most ${limit} bytes`,
      found: `${file.size} bytes`,
    });
  }
  return parseJson(await file.read(0, file.size), file.name);
}

/** Parses UTF-8 JSON. Throws 'bad-file', naming `subject`. */
export function parseJson(bytes: Uint8Array, subject: string): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw badJson(subject, 'JSON in UTF-8', 'bytes that are not UTF-8', cause);
  }
  const value = parsed(text, subject, 'JSON in UTF-8');
  const key = repeatedKey(text);
  if (key !== undefined) throw badJson(subject, 'every key once', `${quoted(key)} twice`);
  return value;
}

/**
 * Parses JSON in which the last of equal keys counts, as elsewhere: lines of data sets.
 * @param reviver as JSON.parse takes it
 * @throws LincirError 'bad-file', naming `subject`
 */
export function parseJsonText(
  text: string,
  subject: string,
  reviver?: (key: string, value: unknown, context?: { readonly source?: string }) => unknown,
): unknown {
  return parsed(text, subject, 'JSON', reviver);
}

function parsed(
  text: string,
  subject: string,
  expected: string,
  reviver?: Parameters<typeof parseJsonText>[2],
): unknown {
  expectBounded(text, subject);
  try {
    return JSON.parse(text, reviver);
  } catch (cause) {
    throw badJson(subject, expected, cause instanceof Error ? unquoted(cause.message, 200) : 'none', cause);
  }
}

/** Checks depth and number of lists, objects and keys before any of them is made. */
function expectBounded(json: string, subject: string): void {
  if (json.length < depthLimit) return;
  const partLimit = fewParts + json.length / charactersPerPart;
  let depth = 0;
  let parts = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === quote) {
      at = endOfString(json, at);
    } else if (code === openBracket || code === openBrace) {
      depth += 1;
      parts += 1;
      if (depth > depthLimit) {
        throw badJson(subject, `JSON nested at most ${depthLimit} deep`, 'deeper nesting');
      }
    } else if (code === closeBracket || code === closeBrace) {
      depth -= 1;
    } else if (code === colonCode) {
      parts += 1;
    }
    if (parts > partLimit) {
      const expected = `at most ${Math.floor(partLimit)} lists, objects and keys in JSON of this size`;
      throw badJson(subject, expected, 'more');
    }
  }
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace, colonCode] = Array.from(
  '"\\[]{}:',
  (character) => character.charCodeAt(0),
);

/** Position of the closing quote of the string that begins at `begin`; the text's end if there is none. */
function endOfString(json: string, begin: number): number {
  // `indexOf` is many times as fast as a look at each character, and an image is a string of millions.
  for (let at = json.indexOf('"', begin + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let first = at;
    while (first > begin + 1 && json.charCodeAt(first - 1) === backslash) first -= 1;
    if ((at - first) % 2 === 0) return at;
  }
  return json.length;
}

/** A key that an object of this valid JSON text has twice. JSON.parse would keep the last one silently. */
function repeatedKey(json: string): string | undefined {
  const objects: Set<string>[] = [];
  const colon = /\s*:/y;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === openBrace) {
      objects.push(new Set());
    } else if (code === closeBrace) {
      objects.pop();
    } else if (code === quote) {
      const begin = at;
      at = endOfString(json, begin);
      colon.lastIndex = at + 1;
      if (colon.test(json)) {
        const key: string = JSON.parse(json.slice(begin, at + 1));
        const keys = objects.at(-1);
        if (keys?.has(key)) return key;
        keys?.add(key);
      }
    }
  }
  return undefined;
}

function badJson(subject: string, expected: string, found: string, cause?: unknown): LincirError {
  return new LincirError('bad-file', { subject, expected, found, cause });
}
