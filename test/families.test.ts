/** Models of every family, from captions to answers: phi learns on them, and composed queries search an index of theirs. */

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadClip, openIndex, Searcher, trainPhi } from '../src/index.ts';
import { update, writePicture } from './pictures.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
/** Fixtures of models, and where their tokenizers are if they have none. A name that ends in `.pt` is a single file. */
const models: readonly { readonly model: string; readonly tokenizer?: string }[] = [
  { model: 'tiny-siglip', tokenizer: 'tokenizers/siglip' },
  { model: 'tiny-metaclip2' },
  { model: 'tiny-chinese-clip' },
  { model: 'tiny-open-clip-xlm' },
  { model: 'tiny-openai/ViT-tiny.pt', tokenizer: 'tiny-clip' },
];
const captions = ['a red hat', 'two dogs on a beach', 'a boat', 'the moon at night', 'a dog in the snow'];
const steps = 30;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-families-'));
  await mkdir(join(folder, 'photos'));
  for (let at = 0; at < 4; at += 1) await writePicture(join(folder, `photos/${at}.png`), at);
  await writeFile(join(folder, 'captions.txt'), captions.join('\n'));
});
after(() => rm(folder, { recursive: true }));

for (const { model, tokenizer } of models) {
  test(`${model}: phi learns, and composed queries find`, async (context) => {
    const place = await mkdtemp(join(folder, 'model-'));
    const [name = '', file] = model.split('/');
    await cp(join(fixtures, name), place, { recursive: true });
    for (const part of ['tokenizer.json', 'tokenizer_config.json']) {
      if (tokenizer) await cp(join(fixtures, tokenizer, part), join(place, part));
    }
    const path = file ? join(place, file) : place;

    const run = join(place, 'run');
    const losses: number[] = [];
    const settings = { batch: captions.length, steps, learningRate: 2e-3, noise: 0, dropout: 0 };
    const events = trainPhi({ model: path, captions: [join(folder, 'captions.txt')], out: run, ...settings });
    for await (const event of events) if (event.kind === 'step') losses.push(event.loss);
    assert.equal(losses.length, steps);
    assert.ok(losses.at(-1)! < 0.8 * losses[0]!, `from ${losses[0]} to ${losses.at(-1)}`);

    const clip = await loadClip(path);
    context.after(() => clip.dispose());
    const uri = join(place, 'index.lance');
    const index = await openIndex(uri, { access: 'write', clip });
    assert.deepEqual(await update(index, clip, { images: [join(folder, 'photos')] }), {
      added: 4,
      encoded: 4,
    });
    await index.close();

    const searcher = await Searcher.open({ index: uri });
    context.after(() => searcher.close());
    const asked = { images: [join(folder, 'photos/2.png')], top: 4, page: 1, includeReference: true };
    const learned = { ...asked, method: 'lincir', phi: join(run, 'phi-latest.safetensors') } as const;
    const byImage = await searcher.search({ ...asked, text: 'is red', method: 'image' });
    assert.equal(byImage.hits[0]?.path, asked.images[0]);
    const composed = await searcher.search({ ...learned, text: 'is red' });
    const scores = composed.hits.map(({ score }) => score);
    assert.ok(scores.length === 4 && scores.every(Number.isFinite), `${scores}`);
    const others = await searcher.search({ ...learned, text: 'at night' });
    assert.notEqual(others.hits[0]!.score, scores[0]);
  });
}
