/** The miniature world's captions, on which phi trains. No image is drawn for them. */

import { createTagger, type MadeCaptions, type Span } from '../../captions/portable.ts';
import { sequence } from '../../core/index.ts';
import { isHeldOut, sampleScene } from '../world/scene.ts';
import { caption } from './grammar.ts';

/** How many captions phi learns from. */
export const miniCaptionCount = 40_000;
/** In UTF-8, about. */
const bytesPerCaption = 90;

/** The source for training. */
export const madeMiniCaptions: MadeCaptions = {
  name: 'mini:captions',
  version: '3',
  bytes: miniCaptionCount * bytesPerCaption,
  captions: () => miniCaptions(miniCaptionCount, 0),
};

/** Settings for training on them, about two minutes on two cores. Other settings are the method's. */
export const miniRecipe = {
  steps: 300,
  batch: 256,
  learningRate: 1e-3,
  schedule: 'cosine',
  warmup: 20,
  noise: 0.5,
  dropout: 0.1,
} as const;

/** Of so many drafts, the caption with the fewest words besides its keywords is used. */
const drafts = 2;
/** The part of captions that are complete. */
const completeShare = 0.7;

/** Captions of scenes that are not held out. The same seed gives the same captions. */
export async function* miniCaptions(count: number, seed: number): AsyncGenerator<string, void, void> {
  const make = await miniCaptionMaker(seed);
  for (let row = 0; row < count; row += 1) yield make(row);
}

/** What makes any of these captions, by its number from 0, without those before it. */
export async function miniCaptionMaker(seed: number): Promise<(row: number) => string> {
  const tag = await createTagger();
  return (row) => {
    const random = sequence({ seed, purpose: 'scene', moment: 2, row });
    let scene = sampleScene(random);
    while (isHeldOut(scene)) scene = sampleScene(random);
    const complete = random() < completeShare;
    const drawn = Array.from({ length: drafts }, () => caption(scene, random, { complete }));
    const [said] = drawn.toSorted(
      (one, other) => wordsBeside(one, tag(one)) - wordsBeside(other, tag(other)),
    );
    return said!;
  };
}

function wordsBeside(text: string, keywords: readonly Span[]): number {
  const between = keywords.map(({ start }, at) => text.slice(keywords[at - 1]?.end ?? 0, start));
  const rest = [...between, text.slice(keywords.at(-1)?.end ?? 0)].join(' ');
  return rest.match(/\w+/g)?.length ?? 0;
}
