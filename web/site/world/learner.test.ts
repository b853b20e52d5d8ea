/** Learning in a page is that of the command line: the same phi, bit for bit, where both compute on the same processor. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileSource, folderFiles } from '../../../src/files/index.ts';
import { miniCaptionMaker, miniCaptions } from '../../../src/mini/portable.ts';
import { readPhi } from '../../../src/phi/index.ts';
import { runFiles, trainPhi } from '../../../src/training/index.ts';
import { checkedSettings, flatParameters } from '../../../src/training/portable.ts';
import { Learner } from './learner.ts';

const model = join(import.meta.dirname, '../../../test/fixtures/tiny-clip');
const captions = Array.from({ length: 11 }, (_, at) => `a photo of ${at} red dogs near the old house`);
const steps = 4;
const pause = async () => {};

async function settingsIn(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-learner-'));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'captions.txt');
  await writeFile(file, captions.join('\n'));
  const settings = {
    model,
    captions: [file],
    steps,
    batch: 4,
    accumulation: 2,
    dropout: 0.1,
    learningRate: 1e-3,
  };
  return { settings, out: join(folder, 'run') };
}

const read = { count: captions.length, at: (index: number) => captions[index]! };
const files = folderFiles(model);

test('the same phi as the command line, also after a break', async (context) => {
  const { settings, out } = await settingsIn(context);
  const losses: number[] = [];
  for await (const event of trainPhi({ ...settings, out })) {
    if (event.kind === 'step') losses.push(event.loss);
  }
  const { info, parameters } = await readPhi(await fileSource(join(out, runFiles.latest)));
  const expected = flatParameters(info.shape, parameters).values;

  const options = { files, captions: read, settings: checkedSettings(settings), pause };
  let learner = await Learner.create(options);
  while (learner.step < 2) await learner.next();
  const learnt = learner.learnt();
  while (learner.step < steps) await learner.next();
  assert.deepEqual(learner.losses, losses);
  assert.deepEqual(learner.values, expected);
  await learner.dispose();

  // Embeddings that were made before the break are made again, in other company: their last bits differ.
  learner = await Learner.create({ ...options, learnt });
  while (learner.step < steps) await learner.next();
  assert.deepEqual(learner.losses.slice(0, 2), losses.slice(0, 2));
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const found = learner.values;
  assert.ok(expected.every((value, at) => Math.abs(value - found[at]!) < 1e-5 * largest));
  await learner.dispose();
});

test('a step that is given up changes nothing', async (context) => {
  const { settings } = await settingsIn(context);
  const stop = new AbortController();
  const options = { files, captions: read, settings: checkedSettings(settings) };
  let pauses = 0;
  const learner = await Learner.create({
    ...options,
    pause: async () => {
      pauses += 1;
      if (pauses === 3) stop.abort(new Error('enough'));
    },
  });
  const before = learner.values;
  await assert.rejects(learner.next(stop.signal), /enough/);
  assert.deepEqual([learner.step, learner.values], [0, before]);
  assert.equal((await learner.next()).step, 1);
  assert.notDeepEqual(learner.values, before);
  await learner.dispose();
});

test('a caption alone is the same as among all', async () => {
  const make = await miniCaptionMaker(0);
  let row = 0;
  for await (const caption of miniCaptions(5, 0)) {
    assert.equal(make(row), caption);
    row += 1;
  }
});
