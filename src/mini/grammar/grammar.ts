/** English captions of scenes in many wordings. */

import type { Scene } from '../world/scene.ts';
import { changedCaption, namedCaption } from './changed.ts';
import { plainCaption } from './frames.ts';
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
