/** English captions of scenes in many wordings, and the number of these. */

import type { Scene } from '../world/scene.ts';
import { changedCaption, namedCaption } from './changed.ts';
import { clausesOfImage, clausesOfNamed, clausesOfOne, leadsOfImage, leadsOfOne } from './clauses.ts';
import {
  emptyFrames,
  fits,
  placedFrames,
  plainCaption,
  plainFrames,
  titleFrames,
  titleLeads,
  titleTails,
} from './frames.ts';
import { isTitle, objectForms } from './objects.ts';
import { clausesOfRelation, tailsOfRelation } from './relations.ts';
import { changedOpenings, tailsOfNamed, tailsOfOne, tailsOfScene } from './tails.ts';
import { tidy } from './words.ts';

interface CaptionOptions {
  /** Make it complete: each object's shape, colour, texture, size, number and position, and the place. Default: false. */
  readonly complete?: boolean;
  /** Allow naming another scene first and describing its change. Default: true. */
  readonly changed?: boolean;
  /** A similar scene, from which most captions that describe a change start. */
  readonly twin?: Scene;
  /** Which scenes have known names. Default: none. */
  readonly isKnown?: (scene: Scene) => boolean;
}

/** The part of captions that name another scene and change it, as far as draws give one. */
const changedShare = 0.6;

/** The part of captions of known scenes that are only their names. */
const namedShare = 0.4;

/** A caption of the scene. It leaves things out, unless it must be complete. */
export function caption(
  scene: Scene,
  random: () => number,
  { complete = false, changed = true, twin, isKnown = () => false }: CaptionOptions = {},
): string {
  if (isKnown(scene) && random() < namedShare) return tidy(namedCaption(scene, random));
  const change =
    changed && random() < changedShare ? changedCaption(scene, complete, random, twin, isKnown) : undefined;
  return tidy(change ?? plainCaption(scene, complete, random));
}

/**
 * The distinct skeletons of captions of one object: sentences with slots for the words of attributes. Captions of several
 * objects, whose phrases combine freely, are not counted.
 */
export function captionSkeletons(): ReadonlySet<string> {
  const skeletons = new Set<string>(emptyFrames);
  for (const frame of [...placedFrames, ...plainFrames]) {
    for (const form of objectForms) {
      if (fits(frame, form)) skeletons.add(put(frame, { objects: form }));
    }
  }
  for (const frame of titleFrames) {
    for (const form of objectForms.filter(isTitle)) {
      const title = put(frame, { objects: form });
      skeletons.add(title);
      for (const lead of titleLeads) skeletons.add(`${lead} ${title}`);
      for (const tail of titleTails) skeletons.add(`${title} ${tail}`);
    }
  }
  for (const opening of changedOpenings) {
    for (const change of changeWordings()) skeletons.add(put(opening, { scene: '{object}', change }));
  }
  return skeletons;
}

/** Their number. */
export const templateCount = captionSkeletons().size;

/** Every ending with which training captions change something, with its slots. */
export function changeWordings(): ReadonlySet<string> {
  const all = (each: Readonly<Record<string, readonly string[]>>) => Object.values(each).flat();
  const after = (leads: readonly string[], clauses: readonly string[]) =>
    leads.flatMap((lead) => clauses.map((clause) => `${lead} ${clause}`));
  return new Set([
    ...[tailsOfOne, tailsOfNamed, tailsOfScene, tailsOfRelation].flatMap(all),
    ...after(leadsOfOne, all(clausesOfOne)),
    ...after(leadsOfImage, [clausesOfNamed, clausesOfImage, clausesOfRelation].flatMap(all)),
  ]);
}

function put(template: string, parts: Readonly<Record<string, string>>): string {
  return tidy(template.replaceAll(/\{(\w+)\}/g, (slot, name: string) => parts[name] ?? slot));
}
