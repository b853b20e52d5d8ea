/** The miniature world's captions, from which phi is learnt. No picture is drawn for them. */

import type { MadeCaptions } from '../captions/index.ts';
import { sequence } from '../core/index.ts';
import { caption } from './grammar.ts';
import { isHeldOut, sampleScene } from './scene.ts';

/** What `lincir train --captions` calls them. */
export const miniCaptionsName = 'mini:captions';

const count = 40_000;
/** In UTF-8, about. */
const bytesPerCaption = 90;
/** Another one where the same seed gives other captions. */
const version = '1';

/** `mini:captions`; undefined for any other name. */
export function madeMiniCaptions(origin: string): MadeCaptions | undefined {
  if (origin !== miniCaptionsName) return undefined;
  return { name: origin, version, bytes: count * bytesPerCaption, captions: () => miniCaptions(count, 0) };
}

/** Of so many captions that come to mind, the shortest is said. */
const drafts = 4;
/** The part of captions that say everything. */
const completeShare = 0.7;

/** Captions of scenes that are not held out, the same for the same seed. */
export function* miniCaptions(count: number, seed: number): Generator<string, void, void> {
  for (let row = 0; row < count; row += 1) {
    const random = sequence({ seed, purpose: 'scene', moment: 2, row });
    let scene = sampleScene(random);
    while (isHeldOut(scene)) scene = sampleScene(random);
    const complete = random() < completeShare;
    const drawn = Array.from({ length: drafts }, () => caption(scene, random, { complete }));
    yield drawn.reduce((shortest, other) => (other.length < shortest.length ? other : shortest));
  }
}
