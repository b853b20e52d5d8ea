/** What the small CLIP learns from: pictures of scenes, drawn once, and captions that are new each time. */

import { type ClipTokenizer, type ImagePreprocessing, preprocessImage } from '../clip/index.ts';
import { sequence } from '../core/index.ts';
import { type ChangeKind, changeKinds, changeOf } from './changes.ts';
import type { PairBatch } from './contrast.ts';
import { caption } from './grammar.ts';
import { renderScene } from './render.ts';
import { draw, isHeldOut, type Scene, sampleScene, sceneKey, shuffled } from './scene.ts';

/** Scenes and their pictures. */
export interface ScenePool {
  /** Two by two such as `trainingScenes` gives. */
  readonly scenes: readonly Scene[];
  readonly side: number;
  /** RGB: [scenes, side, side, 3] */
  readonly pixels: Uint8Array;
}

/** The part of all captions that name everything of their scene. */
const completeShare = 0.4;
/** What is hardest to learn comes more often. */
const twinKinds: readonly ChangeKind[] = [
  ...changeKinds,
  ...(['position', 'position', 'position', 'texture', 'shape'] as const),
];
/** Streams of random numbers of the purpose 'scene' that are used here. */
const rows = { training: 1, heldOut: 2, captions: 1000 } as const;
/** Pictures under way at once. */
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
 * Scenes that training may see, all different. Each second one is the one before it with a change: what differs in
 * little must be told apart, too.
 * @param count even
 */
export function trainingScenes(count: number, seed: number): Scene[] {
  const random = sequence({ seed, purpose: 'scene', moment: 0, row: rows.training });
  const scenes = new Map<string, Scene>();
  while (scenes.size < count) {
    const scene = sampleScene(random);
    const change = changeOf(draw(twinKinds, random), scene, random);
    if (change === undefined) continue;
    const two = [scene, draw(change.targets, random)];
    if (two.some((each) => isHeldOut(each) || scenes.has(sceneKey(each)))) continue;
    for (const each of two) scenes.set(sceneKey(each), each);
  }
  return [...scenes.values()];
}

/** Draws the scenes' pictures. */
export async function scenePool(
  scenes: readonly Scene[],
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
  return { scenes, side, pixels };
}

/**
 * The pairs of a step, counted from 1: each scene comes once in every pass through the pool, in an order of that pass;
 * after step `twinsAfter`, together with its twin, which its caption may name and change. The same for the same seed and step, whatever was asked for before.
 * Captions come shortest first.
 * @param batch even
 */
export async function pairsOfStep(
  step: number,
  batch: number,
  { scenes, side, pixels }: ScenePool,
  { preprocessing, tokenizer, seed, changesAfter, twinsAfter }: PairSettings,
): Promise<PairBatch> {
  const changed = step > changesAfter;
  const together = step > twinsAfter ? 2 : 1;
  const stepsPerPass = Math.floor(scenes.length / batch);
  const [pass, place] = [Math.floor((step - 1) / stepsPerPass), (step - 1) % stepsPerPass];
  const firsts = Array.from({ length: scenes.length / together }, (_, index) => together * index);
  const order = shuffled(firsts, sequence({ seed, purpose: 'order', moment: pass, row: 0 }));
  const size = batch / together;
  const chosen = order.slice(place * size, (place + 1) * size);
  const pairs = chosen
    .flatMap((index) => (together === 1 ? [index] : [index, index + 1]))
    .map((index, row) => {
      const random = sequence({ seed, purpose: 'scene', moment: step, row: rows.captions + row });
      const twin = together === 1 ? undefined : scenes[index % 2 === 0 ? index + 1 : index - 1];
      const text = caption(scenes[index]!, random, { complete: random() < completeShare, changed, twin });
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

export interface PairSettings {
  readonly preprocessing: ImagePreprocessing;
  readonly tokenizer: ClipTokenizer;
  readonly seed: number;
  /** Captions that change what they name come after the step in which plain ones are understood, more or less. */
  readonly changesAfter: number;
  /** Look-alikes are of use when the most has been learnt from scenes of all kinds. */
  readonly twinsAfter: number;
}
