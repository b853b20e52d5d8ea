/** Indexes a folder of images, and searches it with an image and words: `npm run example`. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { compose, loadClip, loadPhi, openIndex, trainPhi } from 'lincir';

const model = join(import.meta.dirname, '../test/fixtures/tiny-clip'); // random weights: the results mean nothing
const pictures = join(import.meta.dirname, 'pictures');
const folder = await mkdtemp(join(tmpdir(), 'lincir-search-'));

const clip = await loadClip(model);
const index = await openIndex(join(folder, 'pictures.lance'), { access: 'write', clip });
for await (const event of index.add(clip, { images: [pictures] })) {
  if (event.kind === 'end') console.log(`${event.summary.added} images are new`);
}

const run = join(folder, 'run');
const captions = [join(import.meta.dirname, 'captions.txt')];
for await (const _ of trainPhi({ model, captions, out: run, batch: 32, steps: 20 })); // or load a phi you have
const phi = await loadPhi(join(run, 'phi-latest.safetensors'), { clip });

const reference = await index.reference(join(pictures, 'white-sailboat-by-day.jpg'));
const query = await compose({ clip, phi, images: [reference.image], text: 'is seen at dusk' });
const hits = await index.search(query, { top: 3, where: 'size > 1000', exclude: [reference.hash] });
console.log(`"${query.prompt}":`);
for (const { score, path } of hits) console.log(`${score.toFixed(3)}  ${basename(path)}`);

await index.close();
await phi.dispose();
await clip.dispose();
await rm(folder, { recursive: true });
