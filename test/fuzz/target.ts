/** What the fuzzer needs to know of a reader: files that it takes, what these are made of, and how it is called. */

import { writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A reader under test. */
export interface Target {
  /** The modules of `src` that it reads with; none for what a script reads. */
  readonly covers: readonly string[];
  /** Files to change, the first of which reads without an error. */
  readonly seeds: readonly Uint8Array[];
  /** What bytes of this format are made of: put in at random, and sought as places to change. */
  readonly tokens: readonly string[];
  /** Makes a changed file whole enough that a reader looks past its first check. */
  readonly repair?: (bytes: Uint8Array) => Uint8Array;
  /** How many of these files are read, as a part of the usual number. Default 1; less for what is slow. */
  readonly share?: number;
  /** Reads `bytes` as a file, all of it. */
  readonly read: (bytes: Uint8Array) => Promise<unknown>;
}

export const jsonTokens: readonly string[] = [
  ...'{}[]":,-\\',
  ...['null', 'true', '0', '1e308', '-1', '0.5', '9007199254740993', '""', '{}', '[]', '[[', '"__proto__":'],
  ...['\\ud800', '\\u0000', '../', '/etc/passwd', 'NaN', '\n', '\xff', '\xef\xbb\xbf'],
];

export const textTokens: readonly string[] = [
  ...'\n\r\0 \t"\',;$/\\#',
  ...['\r\n', '\xef\xbb\xbf', '\xff\xfe', '\xf0\x9f\x98\x80', '../', '/', '%', '\x1b[2J', '\xc3', '""'],
];

export const bytesOf = (text: string): Uint8Array => Buffer.from(text);
export const jsonOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** A reader of the file `name` in `folder`: writes the bytes there, then reads. */
export function ofFile(
  folder: string,
  name: string,
  read: (path: string) => Promise<unknown> | AsyncIterable<unknown>,
): Target['read'] {
  const path = join(folder, name);
  return async (bytes) => {
    writeFileSync(path, bytes); // a tenth of the time that a promise takes
    const found = read(path);
    return found instanceof Promise ? await found : await drain(found);
  };
}

/** Takes everything that comes, and keeps none of it. */
export async function drain(values: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of values);
}

/** Writes files by their paths in a folder, and gives the folder. */
export async function filled(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}
