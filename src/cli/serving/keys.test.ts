/** Secrets of the server: read from files, and never told. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readKeys, readToken } from './keys.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-keys-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

async function fileOf(text: string): Promise<string> {
  const path = join(folder, 'secrets.txt');
  await writeFile(path, text);
  return path;
}

const one = 'one-key-of-16-and-more';
const two = 'another+key/of=base64!';

test('keys are the lines of a file, and one of the environment', async () => {
  const file = await fileOf(`\n${one}\r\n  ${two}\n\n${one}\n`);
  assert.deepEqual(await readKeys(file, {}), [one, two]);
  assert.deepEqual(await readKeys(file, { LINCIR_API_KEY: 'of-the-environment' }), [
    ...[one, two, 'of-the-environment'],
  ]);
  assert.deepEqual(await readKeys(undefined, {}), []);
});

test('a token is the only line of a file, and can stand in an address', async () => {
  assert.equal(await readToken(await fileOf(`${one}\n`)), one);
});

test('what nobody should use is refused, without being told', async () => {
  for (const [text, message] of [
    ['', /a key on every line/],
    ['short', /16 to 512/],
    ['a key with spaces in it', /16 to 512/],
  ] as const) {
    await assert.rejects(readKeys(await fileOf(text), {}), (error: Error) => {
      assert.match(error.message, message);
      return text === '' || !error.message.includes(text);
    });
  }
  for (const text of ['', 'short', two, `${one}\n${one}`, '../../etc/passwd-and-more']) {
    await assert.rejects(readToken(await fileOf(text)), (error: Error) => {
      assert.match(error.message, /one line of 16 to 128 letters/);
      return text === '' || !error.message.includes(text);
    });
  }
  await assert.rejects(readToken(join(folder, 'none')), { code: 'not-found' });
});
