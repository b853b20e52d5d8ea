/** Pseudo tokens are found once, whatever ends the process in between. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { loadClip } from '../clip/index.ts';
import { normals } from '../core/index.ts';
import { invert } from '../phi/index.ts';
import { type InvertCachedOptions, invertCached } from './inversion-cache.ts';
import { openInversion } from './open-inversion.ts';

const clip = await loadClip(join(import.meta.dirname, '../../test/fixtures/tiny-clip'));
after(() => clip.dispose());
const { width, projection } = clip.textConfig;
const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const embeddings = {
  shape: [8, projection],
  data: normals({ seed: 9, purpose: 'noise', moment: 0, row: 0 }, 8 * projection),
};
/** Two images a batch. */
const common = { clip, embeddings, keys, settings: { steps: 20 }, positionsPerRun: 4 };
const expected = await invert(common);

async function newFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-inversion-'));
  context.after(() => rm(folder, { recursive: true }));
  return join(folder, 'words');
}

/** Asks for the images: what came, and how many were there already. */
async function ask(cache: string | undefined, options: Partial<InvertCachedOptions> = {}) {
  const told: number[] = [];
  const { data } = await invertCached({
    ...common,
    cache,
    onProgress: (done) => told.push(done),
    ...options,
  });
  return { data, known: told[0], done: told.at(-1) };
}

function expectClose(found: Float32Array, wanted = expected.data): void {
  assert.equal(found.length, wanted.length);
  for (const [at, value] of found.entries()) assert.ok(Math.abs(value - wanted[at]!) < 1e-5, `${at}`);
}

test('what is found is there the next time, for the same question only', async (context) => {
  const folder = await newFolder(context);
  const first = await ask(folder);
  expectClose(first.data);
  assert.deepEqual([first.known, first.done], [0, 8]);
  assert.deepEqual(await ask(folder), { ...first, known: 8 });
  const mixed = await ask(folder, {
    keys: ['c', 'z', 'c', 'z'],
    embeddings: { shape: [4, projection], data: embeddings.data.slice(0, 4 * projection) },
  });
  // One inversion for both z.
  assert.equal(mixed.known, 3);
  assert.deepEqual(mixed.data.slice(0, width), first.data.slice(2 * width, 3 * width));
  assert.deepEqual(mixed.data.slice(width, 2 * width), mixed.data.slice(3 * width));
  assert.equal((await ask(folder, { seed: 1 })).known, 0);
  assert.equal((await ask(folder, { prompt: 'the $' })).known, 0);
  assert.equal((await ask(folder, { settings: { steps: 21 } })).known, 0);
  assert.equal((await ask(folder, { settings: { weightDecay: 0.01, steps: 20 } })).known, 8);
  expectClose((await ask(undefined)).data);
});

test('an interrupted inversion goes on where it was', async (context) => {
  const folder = await newFolder(context);
  const controller = new AbortController();
  const interrupted = ask(folder, {
    signal: controller.signal,
    onProgress: (done) => {
      if (done === 5) controller.abort();
    },
  });
  await assert.rejects(interrupted, { name: 'AbortError' });
  const resumed = await ask(folder);
  assert.deepEqual([resumed.known, resumed.done], [4, 8]);
  expectClose(resumed.data);
  assert.equal((await ask(folder)).known, 8);
});

test('the settings that an inversion records are those that it uses', async () => {
  const given = { settings: { steps: 5 }, seed: 3 };
  const inversion = openInversion({ clip, ...given });
  const { prompt, seed, ...settings } = inversion.settings;
  const found = await inversion.encode(embeddings);
  assert.deepEqual(await openInversion({ clip, prompt, seed, settings }).encode(embeddings), found);
  for (const other of [{ seed: 4 }, { settings: { steps: 6 } }, { prompt: 'the $' }]) {
    assert.notDeepEqual(await openInversion({ clip, ...given, ...other }).encode(embeddings), found);
  }
});
