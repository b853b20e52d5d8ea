/** Training pairs of the small CLIP: images of scenes, drawn once, and captions that are new each time. */

import { type ImagePreprocessing, preprocessImage, type TextTokenizer } from '../../src/clip/index.ts';
import { sequence } from '../../src/core/index.ts';
import { caption } from '../../src/mini/grammar/grammar.ts';
import { type ChangeKind, changeKinds, changeOf } from '../../src/mini/world/changes.ts';
import { nameOf } from '../../src/mini/world/names.ts';
import { renderScene } from '../../src/mini/world/render-pixels.ts';
import { draw, isHeldOut, type Scene, sampleScene, sceneKey, shuffled } from '../../src/mini/world/scene.ts';
import type { PairBatch } from './contrast.ts';

/** Scenes for training. */
interface TrainingScenes {
  /** In families of four similar ones. */
  readonly scenes: readonly Scene[];
  /** Scenes with known names. They come more than once. */
  readonly known: readonly Scene[];
}

/** Scenes and their images. */
interface ScenePool extends Pick<TrainingScenes, 'scenes'> {
  readonly isKnown: (scene: Scene) => boolean;
  readonly side: number;
  /** RGB: [scenes, side, side, 3] */
  readonly pixels: Uint8Array;
}

/** The part of captions that are complete. */
const completeShare = 0.4;
/** What is hardest comes more often. */
const twinKinds: readonly ChangeKind[] = [
  ...changeKinds,
  ...(['position', 'position', 'position', 'texture', 'shape'] as const),
];
/** About the part of families that begin with a known scene, and the number of scenes for each known one. */
const knownShare = 0.67;
const scenesPerName = 12;
/** Similar scenes that come together. */
const familySize = 4;
/** Streams of random numbers of the purpose 'scene'. */
const rows = { training: 1, heldOut: 2, captions: 1000 } as const;
/** Images in work at once. */
const drawnTogether = 64;

/** The first `count` held-out scenes of a seed, all different. */
export function heldOutScenes(count: number, seed: number): Scene[] {
  const random = sequence({ seed, purpose: 'scene', moment: 0, row: rows.heldOut });
  const scenes = new Map<string, Scene>();
  while (scenes.size < count) {
    const scene = sampleScene(random);
    if (isHeldOut(scene)) scenes.set(sceneKey(scene), scene);
  }
  return [...scenes.values()];
}

/**
 * Scenes for training. They come in families of four: a scene, and three that one change makes of it, so that the model
 * learns small differences. Most families belong to known scenes, each of which has several.
 * @param count a multiple of four
 */
export function trainingScenes(count: number, seed: number): TrainingScenes {
  const random = sequence({ seed, purpose: 'scene', moment: 0, row: rows.training });
  const scenes: Scene[] = [];
  const byName = new Map<string, Scene>();
  while (byName.size < count / scenesPerName) {
    const scene = sampleScene(random);
    if (!isHeldOut(scene)) byName.set(nameOf(scene), scene);
  }
  const known = [...byName.values()];
  while (scenes.length < count) {
    const first = random() < knownShare ? draw(known, random) : sampleScene(random);
    const family = familyOf(first, random);
    if (family !== undefined) scenes.push(...family);
  }
  return { scenes, known };
}

/** A scene and others that one change makes of it, all different, none held out; undefined if no draw gave one. */
function familyOf(first: Scene, random: () => number): Scene[] | undefined {
  const family = new Map([[sceneKey(first), first]]);
  for (let attempt = 0; attempt < 4 * familySize && family.size < familySize; attempt += 1) {
    const made = changeOf(draw(twinKinds, random), first, random);
    const scene = made && draw(made.targets, random);
    if (scene && !isHeldOut(scene)) family.set(sceneKey(scene), scene);
  }
  return family.size === familySize && !isHeldOut(first) ? [...family.values()] : undefined;
}

/** Draws the scenes' images. */
export async function scenePool(
  { scenes, known }: TrainingScenes,
  side: number,
  onProgress?: (drawn: number) => void,
): Promise<ScenePool> {
  const pixels = new Uint8Array(scenes.length * side * side * 3);
  for (let begin = 0; begin < scenes.length; begin += drawnTogether) {
    const render = async (scene: Scene, at: number) => {
      const { data } = await renderScene(scene, side);
      pixels.set(data, (begin + at) * data.length);
    };
    await Promise.all(scenes.slice(begin, begin + drawnTogether).map(render));
    onProgress?.(Math.min(begin + drawnTogether, scenes.length));
  }
  const keys = new Set(known.map(sceneKey));
  return { scenes, isKnown: (scene) => keys.has(sceneKey(scene)), side, pixels };
}

/**
 * The pairs of a step, counted from 1. Each scene comes once in every pass through the pool, in that pass's order. After
 * step `twinsAfter` it comes with its family, and its caption may name one of them and change it. The same seed and step
 * give the same pairs, whatever came before. Captions come shortest first.
 * @param batch a multiple of four
 */
export async function pairsOfStep(
  step: number,
  batch: number,
  { scenes, isKnown, side, pixels }: ScenePool,
  { preprocessing, tokenizer, seed, changesAfter, twinsAfter }: PairSettings,
): Promise<PairBatch> {
  const changed = step > changesAfter;
  const together = step > twinsAfter ? familySize : 1;
  const stepsPerPass = Math.floor(scenes.length / batch);
  const [pass, place] = [Math.floor((step - 1) / stepsPerPass), (step - 1) % stepsPerPass];
  const firsts = Array.from({ length: scenes.length / together }, (_, index) => together * index);
  const order = shuffled(firsts, sequence({ seed, purpose: 'order', moment: pass, row: 0 }));
  const size = batch / together;
  const chosen = order.slice(place * size, (place + 1) * size);
  const pairs = chosen
    .flatMap((index) => Array.from({ length: together }, (_, at) => index + at))
    .map((index, row) => {
      const random = sequence({ seed, purpose: 'scene', moment: step, row: rows.captions + row });
      const member = index % familySize;
      const first = index - member;
      const other = member === 0 ? 1 + Math.floor(random() * (familySize - 1)) : 0;
      const twin = together === 1 ? undefined : scenes[first + other];
      const text = caption(scenes[index]!, random, {
        complete: random() < completeShare,
        changed,
        twin,
        isKnown,
      });
      return { index, ids: tokenizer.encode(text).ids };
    });
  pairs.sort((a, b) => a.ids.length - b.ids.length);

  const area = side * side * 3;
  const prepared = new Float32Array(batch * area);
  const prepare = ({ index }: (typeof pairs)[number], row: number) => {
    const data = pixels.subarray(index * area, (index + 1) * area);
    const into = prepared.subarray(row * area, (row + 1) * area);
    return preprocessImage({ data, width: side, height: side }, preprocessing, { into });
  };
  await Promise.all(pairs.map(prepare));
  return { pixels: prepared, captions: pairs.map(({ ids }) => ids) };
}

interface PairSettings {
  readonly preprocessing: ImagePreprocessing;
  readonly tokenizer: TextTokenizer;
  readonly seed: number;
  /** Captions that describe a change come after the step in which plain ones are more or less understood. */
  readonly changesAfter: number;
  /** Similar scenes help once most has been learnt from all kinds of scenes. */
  readonly twinsAfter: number;
}
