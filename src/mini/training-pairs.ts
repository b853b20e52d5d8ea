/** What the small CLIP learns from: pictures of scenes, drawn once, and captions that are new each time. */

import { type ClipTokenizer, type ImagePreprocessing, preprocessImage } from '../clip/index.ts';
import { sequence } from '../core/index.ts';
import type { PairBatch } from './contrast.ts';
import { familySize } from './families.ts';
import { caption } from './grammar.ts';
import { renderScene } from './render.ts';
import { type Scene, shuffled } from './scene.ts';

/** Scenes and their pictures. */
export interface ScenePool {
  /** Family after family. */
  readonly scenes: readonly Scene[];
  readonly side: number;
  /** RGB: [scenes, side, side, 3] */
  readonly pixels: Uint8Array;
}

/** The part of all captions that name everything of their scene. */
const completeShare = 0.5;
/** Where streams of random numbers for captions begin. */
const firstRow = 1000;
/** Pictures under way at once. */
const drawnTogether = 64;

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
 * The pairs of a step, counted from 1: each scene comes once in every pass through the pool, together with its
 * family, in an order of that pass. The same for the same seed and step, whatever was asked for before. Captions come shortest
 * first.
 * @param batch a multiple of `familySize`, as is the number of scenes
 */
export async function pairsOfStep(
  step: number,
  batch: number,
  { scenes, side, pixels }: ScenePool,
  { preprocessing, tokenizer, seed }: PairSettings,
): Promise<PairBatch> {
  const stepsPerPass = Math.floor(scenes.length / batch);
  const [pass, place] = [Math.floor((step - 1) / stepsPerPass), (step - 1) % stepsPerPass];
  const families = [...Array(scenes.length / familySize).keys()];
  const order = shuffled(families, sequence({ seed, purpose: 'order', moment: pass, row: 0 }));
  const size = batch / familySize;
  const pairs = order
    .slice(place * size, (place + 1) * size)
    .flatMap((family) => Array.from({ length: familySize }, (_, at) => family * familySize + at))
    .map((index, row) => {
      const random = sequence({ seed, purpose: 'scene', moment: step, row: firstRow + row });
      const text = caption(scenes[index]!, random, { complete: random() < completeShare });
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
}
