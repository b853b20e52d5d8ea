/** Trains phi on a few captions, then puts an image into a sentence: `node --conditions=lincir-source examples/train.ts`. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadClip, loadPhi, trainPhi } from 'lincir';

const model = join(import.meta.dirname, '../test/fixtures/tiny-clip'); // random weights: the numbers mean nothing
const out = await mkdtemp(join(tmpdir(), 'lincir-run-'));

const training = trainPhi({
  model,
  captions: [join(import.meta.dirname, 'captions.txt')],
  out,
  batch: 32,
  steps: 100,
  learningRate: 1e-2,
});
for await (const event of training) {
  if (event.kind === 'step' && (event.step === 1 || event.step % 25 === 0)) {
    console.log(`step ${event.step}: loss ${event.loss.toFixed(3)}`);
  }
}

const clip = await loadClip(model);
const phi = await loadPhi(join(out, 'phi-latest.safetensors'), { clip });
const picture = await clip.encodeImages([join(import.meta.dirname, 'pictures/white-sailboat-at-dusk.jpg')]);
const { data: word } = await phi.encode(picture); // a vector that stands for the image in a text
const { ids } = clip.tokenizer.encode('a photo of $ that is red');
const position = ids.indexOf(clip.tokenizer.idOf('$')!);
const query = await clip.encodeTokens([{ ids, injected: [{ position, vector: word }] }]);
console.log(`"a photo of $ that is red", $ being the image: ${query.shape[1]} numbers`);

await phi.dispose();
await clip.dispose();
await rm(out, { recursive: true });
