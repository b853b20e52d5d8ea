/** Splits a line into words as a shell does, and completes paths in it. */

import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** A backslash escapes the next character, except on Windows, where paths have it. */
const word = process.platform === 'win32' ? /"[^"]*"|'[^']*'|\S+/g : /"[^"]*"|'[^']*'|(?:\\.|[^\s\\])+/g;

/** The words of a line, without their quotes. */
export function wordsOf(line: string): string[] {
  return line.match(word)?.map(withoutQuotes) ?? [];
}

/** A word's meaning: without quotes, and with the user's folder for `~/`. */
export function withoutQuotes(text: string): string {
  const inside = /^(["'])(.*)\1$/s.exec(text)?.[2];
  if (inside !== undefined) return inside;
  const plain = process.platform === 'win32' ? text : text.replaceAll(/\\(.)/g, '$1');
  return plain.replace(/^~(?=\/|$)/, homedir());
}

/** Completions of the last word of a line, quoted as needed, and that word. */
export async function completedPath(line: string): Promise<[string[], string]> {
  const [last] = /(?:"[^"]*|'[^']*|(?:\\.|[^\s\\"'])*)$/.exec(line) ?? [''];
  const quote = /^["']/.exec(last)?.[0] ?? '';
  const typed = quote === '' ? withoutQuotes(last) : last.slice(1);
  const folder = typed.endsWith('/') ? typed : dirname(typed);
  const beginning = typed.endsWith('/')
    ? ''
    : typed.slice(folder === '.' && !typed.startsWith('..') ? 0 : join(folder, '/').length);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const shown = entries
    .filter(({ name }) => name.startsWith(beginning) && (beginning !== '' || !name.startsWith('.')))
    .map(
      (entry) =>
        `${typed.slice(0, typed.length - beginning.length)}${entry.name}${entry.isDirectory() ? '/' : ''}`,
    )
    .sort();
  return [
    shown.map((path) => (quote === '' ? path.replaceAll(/[\s\\"'#]/g, '\\$&') : `${quote}${path}`)),
    last,
  ];
}
