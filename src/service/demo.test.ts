/** The miniature world's index: made once, found again, and gone on with after any end. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { openIndex } from '../indexing/index.ts';
import { type DemoProgress, demoIndex } from './demo.ts';

let cache: string;
before(async () => {
  cache = await mkdtemp(join(tmpdir(), 'lincir-demo-'));
});
after(() => rm(cache, { recursive: true }));

const images = 60;
async function stagesOf(work: (onProgress: (progress: DemoProgress) => void) => Promise<unknown>) {
  const stages = new Set<string>();
  await work(({ stage }) => stages.add(stage));
  return [...stages];
}
async function countIn(uri: string): Promise<number> {
  const index = await openIndex(uri);
  try {
    return (await index.statistics()).images;
  } finally {
    await index.close();
  }
}

test('goes on where it ended, is made once, and is found again', async () => {
  const stop = new AbortController();
  const stopped = demoIndex({
    ...{ cache, images, signal: stop.signal },
    onProgress: ({ stage, done }) => {
      if (stage === 'drawing' && done > 0) stop.abort(new Error('stopped'));
    },
  });
  await assert.rejects(stopped, /stopped/);
  const [folder] = await readdir(cache);
  const drawn = join(cache, folder!, 'images');
  const [first] = (await readdir(drawn)).sort();
  const { mtimeMs } = await stat(join(drawn, first!));

  const [one, other] = await Promise.all([demoIndex({ cache, images }), demoIndex({ cache, images })]);
  assert.deepEqual(one, other);
  assert.deepEqual([one.name, one.phi], ['demo', 'mini']);
  assert.equal(await countIn(one.uri), images);
  assert.equal((await stat(join(drawn, first!))).mtimeMs, mtimeMs, 'what was drawn stays');
  assert.deepEqual(await stagesOf((onProgress) => demoIndex({ cache, images, onProgress })), []);
});

test('other drawings make another index', async () => {
  const one = await demoIndex({ cache, images: images + 1 });
  assert.equal(await countIn(one.uri), images + 1);
  assert.equal((await readdir(cache)).length, 2);
  assert.equal(dirname(dirname(one.uri)), cache);
});
