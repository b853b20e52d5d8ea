/** Runs what examples/ shows, as a user would. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = async (example: string): Promise<string> => {
  const script = join(import.meta.dirname, '../examples', example);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--conditions=lincir-source',
    script,
  ]);
  assert.equal(stderr, '');
  return stdout;
};

test('embed.ts embeds every image and text', async () => {
  const output = await run('embed.ts');
  assert.match(output, /^6 images and 3 texts, 24 numbers each/);
  assert.equal(output.match(/-?[01]\.\d{3}/g)?.length, 18);
});

test('inject.ts changes an embedding by a vector', async () => {
  const [, distance] = /moves the embedding by (\d+\.\d+)/.exec(await run('inject.ts')) ?? [];
  assert.ok(Number(distance) > 0);
});

test('gradient.ts learns a word', async () => {
  const losses = [...(await run('gradient.ts')).matchAll(/loss ([\d.]+)/g)].map(([, loss]) => Number(loss));
  assert.equal(losses.length, 5);
  assert.ok(losses.at(-1)! < losses[0]! / 4, losses.join(' '));
});

test('train.ts learns phi, and composes a query with it', async () => {
  const output = await run('train.ts');
  const losses = [...output.matchAll(/loss ([\d.]+)/g)].map(([, loss]) => Number(loss));
  assert.equal(losses.length, 5);
  assert.ok(losses.at(-1)! < losses[0]! / 2, losses.join(' '));
  assert.match(output, /\$ being the image: 24 numbers/);
});

test('search.ts indexes images, and finds some with an image and words', async () => {
  const output = await run('search.ts');
  assert.match(output, /^6 images are new\n"a photo of \$ that is seen at dusk":\n/);
  assert.equal(output.match(/^-?0\.\d{3} {2}[\w-]+\.\w+$/gm)?.length, 3);
  assert.doesNotMatch(output, /white-sailboat-by-day/);
});
