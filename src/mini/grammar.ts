/** English captions of scenes, in as many wordings as people use, and how many those are. */

import {
  changedCaption,
  changedOpenings,
  tailsOfNamed,
  tailsOfOne,
  tailsOfScene,
} from './grammar-changed.ts';
import { emptyFrames, fits, placedFrames, plainCaption, plainFrames } from './grammar-frames.ts';
import { objectForms } from './grammar-objects.ts';
import { tidy } from './grammar-words.ts';
import type { Scene } from './scene.ts';

export interface CaptionOptions {
  /** Say everything: each object's shape, colour, texture, size, number and position, and the place. Default: false. */
  readonly complete?: boolean | undefined;
}

/** The share of captions that name another scene first and then change it, as far as draws lead to one. */
const changedShare = 0.34;

/** A caption whose meaning is the scene. It leaves things out unless it is to be complete. */
export function caption(
  scene: Scene,
  random: () => number,
  { complete = false }: CaptionOptions = {},
): string {
  const changed = random() < changedShare ? changedCaption(scene, complete, random) : undefined;
  return tidy(changed ?? plainCaption(scene, complete, random));
}

/**
 * The distinct skeletons of captions of one object: sentences in which only the words of attributes are still open.
 * Captions of several objects, whose phrases combine freely, are not counted.
 */
export function captionSkeletons(): ReadonlySet<string> {
  const skeletons = new Set<string>(emptyFrames);
  for (const frame of [...placedFrames, ...plainFrames]) {
    for (const form of objectForms) {
      if (fits(frame, form)) skeletons.add(put(frame, { objects: form }));
    }
  }
  const tails = [tailsOfOne, tailsOfScene].flatMap((each) => Object.values(each).flat());
  for (const opening of changedOpenings) {
    for (const change of tails) skeletons.add(put(opening, { scene: '{object}', change }));
  }
  return skeletons;
}

/** How many there are. */
export const templateCount = captionSkeletons().size;

/** Every ending by which training captions change something, with its slots. */
export function changeWordings(): ReadonlySet<string> {
  return new Set([tailsOfOne, tailsOfNamed, tailsOfScene].flatMap((each) => Object.values(each).flat()));
}

function put(template: string, parts: Readonly<Record<string, string>>): string {
  return tidy(template.replaceAll(/\{(\w+)\}/g, (slot, name: string) => parts[name] ?? slot));
}
