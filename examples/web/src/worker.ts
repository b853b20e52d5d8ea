/** All that computes: loads the models, embeds pictures, composes queries and ranks. It would hold up the page. */

import {
  type Clip,
  compose,
  type Float32Tensor,
  fileAt,
  filesAt,
  loadClip,
  loadPhi,
  nearest,
  type Phi,
} from 'lincir';
import type { Answer, Question } from './messages.ts';

interface Opened {
  readonly clip: Clip;
  readonly phi: Phi;
  readonly embeddings: Float32Tensor;
}

let opened: Promise<Opened> | undefined;

addEventListener('message', async ({ data }: MessageEvent<Question>) => {
  try {
    if (data.kind === 'open') opened = open(data.model, data.pictures);
    const { clip, phi, embeddings } = await opened!;
    if (data.kind === 'open') return tell({ kind: 'ready' });
    const query = await compose({ clip, phi, images: [data.picture], text: data.text });
    tell({ kind: 'found', query, ranked: nearest(query, embeddings) });
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : `${error}` });
  }
});

async function open(model: string, pictures: readonly string[]): Promise<Opened> {
  // For real photos, take a model of the hub by its name: loadClip('large') and loadPhi('lincir-large', { clip }).
  const clip = await loadClip(filesAt(model));
  const phi = await loadPhi(await fileAt(new URL('phi.safetensors', model)), { clip });
  const blobs = await Promise.all(pictures.map(async (address) => await (await fetch(address)).blob()));
  return { clip, phi, embeddings: await clip.encodeImages(blobs) };
}

function tell(answer: Answer): void {
  postMessage(answer);
}
