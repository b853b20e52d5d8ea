/** Puts a vector in place of a word, as phi does with an image. */

import { join } from 'node:path';
import { loadClip } from 'lincir';

const clip = await loadClip(join(import.meta.dirname, '../test/fixtures/tiny-clip'));
const { ids } = clip.tokenizer.encode('a photo of $ that is red');
const position = ids.indexOf(clip.tokenizer.idOf('$')!);

// Any vector as wide as the text tower's token embeddings will do. train.ts makes one from an image.
const vector = new Float32Array(clip.config.text!.width).fill(0.01);
const { data } = await clip.encodeTokens([{ ids }, { ids, injected: [{ position, vector }] }]);
await clip.dispose();

const half = data.length / 2;
const distance = Math.hypot(...data.subarray(0, half).map((value, index) => value - data[half + index]!));
console.log(`The vector at position ${position} moves the embedding by ${distance.toFixed(3)}.`);
