/** Where the server's secrets come from: a file, or the environment. Never an argument, which every process can see. */

import { LincirError } from '../../core/index.ts';
import { asLincirError, readingFile } from '../../files/index.ts';

/** More is no file of keys. */
const mostBytes = 2 ** 16;
/** What a header can carry, and long enough that nobody guesses it. */
const keyPattern = /^[\x21-\x7e]{16,512}$/;
/** What an address can carry, and long enough that nobody guesses it. */
const tokenPattern = /^[\w-]{16,128}$/;

/** Reads the keys of `file`, one a line, and the one in the environment. */
export async function readKeys(file: string | undefined, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const keys = file === undefined ? [] : await keysOf(file);
  const { LINCIR_API_KEY: one } = environment;
  if (one !== undefined && one !== '') keys.push(checked(one, 'LINCIR_API_KEY'));
  return [...new Set(keys)];
}

/** Reads a secret part of an address: the only line of a file. */
export async function readToken(file: string): Promise<string> {
  const [token, ...others] = await linesOf(file);
  if (token !== undefined && others.length === 0 && tokenPattern.test(token)) return token;
  throw new LincirError('bad-argument', {
    subject: file,
    expected: 'one line of 16 to 128 letters, digits, dashes and underscores',
    found: token === undefined ? 'none' : 'something else',
    todo: 'make one with: openssl rand -hex 24',
  });
}

async function keysOf(file: string): Promise<string[]> {
  const lines = await linesOf(file);
  const keys = lines.map((line, at) => checked(line, `${file}: key ${at + 1}`));
  if (keys.length === 0) throw badKey(file, 'a key on every line', 'none');
  return keys;
}

/** The lines of a file that are not empty. */
async function linesOf(file: string): Promise<string[]> {
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
  return text.split(/\r?\n/).flatMap((line) => line.trim() || []);
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
