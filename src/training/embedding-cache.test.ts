/** Embeddings are made once for each caption, and after an interruption those are made anew that were then. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EmbeddingCache } from './embedding-cache.ts';

async function newFile(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-cache-'));
  context.after(() => rm(folder, { recursive: true }));
  return join(folder, 'embeddings.f32');
}

/** Asks for captions at a step; gives what came, and the captions whose embeddings had to be made. */
async function ask(cache: EmbeddingCache, numbers: number[], step: number, salt = 0) {
  const made: number[] = [];
  const embeddings = await cache.embeddings(numbers, step, async (rows) => {
    made.push(...rows.map((row) => numbers[row]!));
    return Float32Array.from(rows.flatMap((row) => [numbers[row]!, salt, -1]));
  });
  return { embeddings: [...embeddings], made };
}

test('every caption is made once, however often it comes', async (context) => {
  const cache = new EmbeddingCache(await newFile(context), 100, 3, 0);
  assert.deepEqual(await ask(cache, [7, 99, 7], 1), {
    embeddings: [7, 0, -1, 99, 0, -1, 7, 0, -1],
    made: [7, 99],
  });
  assert.deepEqual(await ask(cache, [99, 0], 2, 5), { embeddings: [99, 0, -1, 0, 5, -1], made: [0] });
  cache.close();
});

test('a resumed run knows what was made up to its step, and makes the rest anew', async (context) => {
  const file = await newFile(context);
  const killed = new EmbeddingCache(file, 10, 3, 0);
  for (const step of [1, 2, 3]) await ask(killed, [step], step);
  killed.close();
  const resumed = new EmbeddingCache(file, 10, 3, 2);
  assert.deepEqual(await ask(resumed, [1, 2, 3], 3, 8), {
    embeddings: [1, 0, -1, 2, 0, -1, 3, 8, -1],
    made: [3],
  });
  assert.deepEqual((await ask(resumed, [3], 4)).made, []);
  resumed.close();
});

test('a place that cannot be written is named', () => {
  assert.throws(() => new EmbeddingCache('/nowhere/embeddings.f32', 1, 1, 0), {
    name: 'LincirError',
    message: /embeddings.f32: expected a place that can be written/,
  });
});
