/** Learns a word: gradients through the text tower move a vector until "a photo of $" means what another text means. */

import { join } from 'node:path';
import { loadClip } from 'lincir';
import { parametersOf, textInputs, textTower, tokenBatches } from 'lincir/clip';
import { gradients, input, meanSquaredError, Session } from 'lincir/onnx';

const folder = join(import.meta.dirname, '../test/fixtures/tiny-clip');
const clip = await loadClip(folder);
const config = clip.config.text!;
const target = await clip.encodeTexts(['a brown dog on a beach']);
const { ids } = clip.tokenizer.encode('a photo of $');
const position = ids.indexOf(clip.tokenizer.idOf('$')!);
await clip.dispose();

// The frozen tower as a graph. The loss is differentiated with respect to the injected vectors alone.
const inputs = textInputs(config);
const { tensors } = clip.checkpoint;
const wanted = input('wanted', 'float32', ['batch', config.projection]);
const loss = meanSquaredError(textTower(inputs, config, parametersOf(tensors)), wanted);
const [gradient] = gradients(loss, [inputs.injected]);
const session = await Session.create({ loss, gradient: gradient! });

const word = new Float32Array(config.width);
for (let step = 0; step <= 100; step++) {
  const [batch] = tokenBatches([{ ids, injected: [{ position, vector: word }] }], config, 1024);
  const result = await session.run<'loss' | 'gradient'>({ ...batch!.feeds, wanted: target });
  if (step % 25 === 0) console.log(`step ${step}: loss ${result.loss.data[0]!.toFixed(4)}`);
  for (const [index, slope] of result.gradient.data.entries()) word[index]! -= 0.02 * slope;
}
await session.dispose();
