/** Where the server's keys come from: a file, or the environment. Never an argument, which every process can see. */

import { LincirError } from '../../core/index.ts';
import { asLincirError, readingFile } from '../../files/index.ts';

/** More is no file of keys. */
const mostBytes = 2 ** 16;
/** What a header can carry, and long enough that nobody guesses it. */
const keyPattern = /^[\x21-\x7e]{16,512}$/;

/** Reads the keys of `file`, one a line, and the one in the environment. */
export async function readKeys(file: string | undefined, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const keys = file === undefined ? [] : await keysOf(file);
  const { LINCIR_API_KEY: one } = environment;
  if (one !== undefined && one !== '') keys.push(checked(one, 'LINCIR_API_KEY'));
  return [...new Set(keys)];
}

async function keysOf(file: string): Promise<string[]> {
  let text: string;
  try {
    text = await readingFile(file, async (source) => {
      if (source.size > mostBytes)
        throw badKey(file, `a file of at most ${mostBytes} bytes`, `${source.size}`);
      return new TextDecoder().decode(await source.read(0, source.size));
    });
  } catch (error) {
    throw asLincirError(error, file, 'read');
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.flatMap((line, at) => (line === '' ? [] : [checked(line, `${file}: line ${at + 1}`)]));
  if (keys.length === 0) throw badKey(file, 'a key on every line', 'none');
  return keys;
}

/** The message never has the key. */
function checked(key: string, subject: string): string {
  if (keyPattern.test(key)) return key;
  throw badKey(
    subject,
    'a key of 16 to 512 letters, digits and signs, without spaces',
    `${key.length} characters`,
  );
}

function badKey(subject: string, expected: string, found: string): LincirError {
  const todo = 'make one with: openssl rand -base64 32';
  return new LincirError('bad-argument', { subject, expected, found, todo });
}
