/** The scenes that the small CLIP learns from: families that differ in little, so that little must be told apart. */

import { sequence } from '../core/index.ts';
import { type ChangeKind, changeKinds, changeOf } from './changes.ts';
import {
  draw,
  isHeldOut,
  isPossible,
  orderedScene,
  positions,
  type Scene,
  sampleScene,
  sceneKey,
  shuffled,
} from './scene.ts';

/** Scenes of a family, which come together in a batch. */
export const familySize = 4;

/** What a family differs in. The same things in other places, and other shapes, are the hardest to learn. */
const differences: readonly (ChangeKind | 'places')[] = [
  ...changeKinds,
  ...(['shape', 'texture', 'places', 'places', 'places', 'places'] as const),
];
/** Draws of a sibling until another scene is taken. */
const attempts = 30;

/** The first `count` held-out scenes of a seed, all different. */
export function heldOutScenes(count: number, seed: number): Scene[] {
  const random = sequence({ seed, purpose: 'scene', moment: 0, row: 2 });
  const scenes = new Map<string, Scene>();
  while (scenes.size < count) {
    const scene = sampleScene(random);
    if (isHeldOut(scene)) scenes.set(sceneKey(scene), scene);
  }
  return [...scenes.values()];
}

/**
 * Scenes that training may see, all different, family after family. Most families have a scene and what becomes of it
 * by three changes of one kind.
 * @param count a multiple of `familySize`
 */
export function trainingScenes(count: number, seed: number): Scene[] {
  const random = sequence({ seed, purpose: 'scene', moment: 0, row: 1 });
  const scenes = new Map<string, Scene>();
  while (scenes.size < count) {
    const family = new Map<string, Scene>();
    const first = sampleScene(random);
    const usual = draw(differences, random);
    for (let attempt = 0; attempt < attempts && family.size < familySize; attempt += 1) {
      const kind = attempt < attempts / 2 ? usual : draw(differences, random);
      const scene = attempt === 0 ? first : sibling(first, kind, random);
      if (scene && !isHeldOut(scene) && !scenes.has(sceneKey(scene))) family.set(sceneKey(scene), scene);
    }
    if (family.size === familySize) for (const [key, scene] of family) scenes.set(key, scene);
  }
  return [...scenes.values()];
}

function sibling(scene: Scene, kind: ChangeKind | 'places', random: () => number): Scene | undefined {
  if (kind === 'places') return rearranged(scene, random);
  const change = changeOf(kind, scene, random);
  return change && draw(change.targets, random);
}

/** The same things in other places, perhaps those of each other. */
function rearranged({ background, objects }: Scene, random: () => number): Scene | undefined {
  const places = shuffled(positions, random);
  const scene = { background, objects: objects.map((object, at) => ({ ...object, position: places[at]! })) };
  return isPossible(scene) ? orderedScene(scene) : undefined;
}
