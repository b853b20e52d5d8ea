/** Names of scenes. Some scenes have known names, as paintings and places do, and the model must learn their meaning. */

import { hashOf, type Scene, sceneKey } from './scene.ts';

const syllables = [...'bdfgklmnprstvz'].flatMap((onset) => [...'aeiou'].map((vowel) => onset + vowel));
const endings = syllables.flatMap((syllable) => [`${syllable}m`, `${syllable}x`]);

/** The scene's name, of two syllables: `kitum`. There are 9,800, so scenes may share one. */
export function nameOf(scene: Scene): string {
  const hash = hashOf(`name of ${sceneKey(scene)}`);
  const first = syllables[hash % syllables.length]!;
  return first + endings[Math.floor(hash / syllables.length) % endings.length]!;
}
