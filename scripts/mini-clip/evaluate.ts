/** Measures how well a CLIP understands the miniature world: retrieval among unseen scenes, and single attributes. */

import type { Clip } from '../../src/clip/index.ts';
import { type Float32Tensor, sequence } from '../../src/core/index.ts';
import { changedCaption } from '../../src/mini/grammar/changed.ts';
import { caption } from '../../src/mini/grammar/grammar.ts';
import { tidy } from '../../src/mini/grammar/words.ts';
import { changeOf } from '../../src/mini/world/changes.ts';
import { renderScene } from '../../src/mini/world/render-pixels.ts';
import { type Attribute, attributes, type Scene } from '../../src/mini/world/scene.ts';
import { heldOutScenes } from './training-pairs.ts';

interface ClipEvaluation {
  readonly scenes: number;
  /** The part of complete captions whose image is the nearest of all, or among the 5 nearest. */
  readonly textToImage: { readonly recall1: number; readonly recall5: number };
  /** The same for captions that name another scene and change it, for scenes with such a caption. */
  readonly changedTextToImage: { readonly recall1: number; readonly recall5: number };
  readonly imageToText: { readonly recall1: number; readonly recall5: number };
  /** How often an image is nearer to its caption than to one that differs only in this attribute. */
  readonly attributes: Readonly<Record<Attribute | 'background', number>>;
  /** Mean cosine of an image and its caption, and of an image and another's caption. */
  readonly pairedCosine: number;
  readonly otherCosine: number;
  /** Mean lengths of the towers' embeddings. */
  readonly textNorm: number;
  readonly imageNorm: number;
  /** Distance between the means of both sides' normalised embeddings. */
  readonly modalityGap: number;
}

/** Number of scenes for single attributes. */
const askedScenes = 400;
/** Streams of random numbers for evaluation only. */
const firstRow = 2 ** 20;

/**
 * Evaluates on held-out scenes, all different, with complete captions.
 * @param scenes their number; attributes use the first 400
 */
export async function evaluateClip(clip: Clip, scenes = 1000, seed = 0): Promise<ClipEvaluation> {
  const shown = heldOutScenes(scenes, seed);
  const pictures = await drawn(clip, shown);
  const rawTexts = await clip.encodeTexts(shown.map((scene, row) => described(scene, seed, row)));
  const rawImages = await clip.encodeImages(pictures);
  const [texts, images] = [unit(rawTexts), unit(rawImages)];
  const cosinesWith = (rows: readonly Float32Array[]) =>
    rows.map((text) => images.map((image) => dot(text, image)));
  const cosines = cosinesWith(texts);
  const changedTexts = shown.map((scene, row) => describedByChange(scene, seed, row));
  const changed = unit(await clip.encodeTexts(changedTexts));
  const transposed = images.map((_, image) => cosines.map((row) => row[image]!));
  const paired = mean(cosines.map((row, at) => row[at]!));
  const all = mean(cosines.map(mean));

  const asked = [...Object.keys(attributes), 'background'] as (Attribute | 'background')[];
  const right: [string, number][] = [];
  for (const attribute of asked) {
    const others = shown.slice(0, askedScenes).flatMap((scene, row) => {
      const [other] = changeOf(attribute, scene, chance(1, seed, row))?.targets ?? [];
      return other ? [{ row, text: described(other, seed, row) }] : [];
    });
    const wrong = unit(await clip.encodeTexts(others.map(({ text }) => text)));
    const wins = others.filter(({ row }, at) => cosines[row]![row]! > dot(wrong[at]!, images[row]!));
    right.push([attribute, wins.length / others.length]);
  }
  return {
    scenes,
    textToImage: recalls(cosines),
    changedTextToImage: recalls(cosinesWith(changed)),
    imageToText: recalls(transposed),
    attributes: Object.fromEntries(right) as ClipEvaluation['attributes'],
    pairedCosine: paired,
    otherCosine: (all * scenes - paired) / (scenes - 1),
    textNorm: mean(rowsOf(rawTexts).map(length)),
    imageNorm: mean(rowsOf(rawImages).map(length)),
    modalityGap: length(centre(texts).map((value, at) => value - centre(images)[at]!)),
  };
}

/** Renders images at the model's size. */
async function drawn(clip: Clip, scenes: readonly Scene[]) {
  return Promise.all(scenes.map((scene) => renderScene(scene, clip.visionConfig.imageSize)));
}

/** A complete caption. The same row gives the same wording for any scene. */
function described(scene: Scene, seed: number, row: number): string {
  return caption(scene, chance(0, seed, row), { complete: true, changed: false });
}

function describedByChange(scene: Scene, seed: number, row: number): string {
  const changed = changedCaption(scene, true, chance(0, seed, row));
  return changed === undefined ? described(scene, seed, row) : tidy(changed);
}

function chance(moment: number, seed: number, row: number): () => number {
  return sequence({ seed, purpose: 'scene', moment, row: firstRow + row });
}

function recalls(cosines: readonly (readonly number[])[]) {
  const ranks = cosines.map((row, own) => row.filter((value) => value > row[own]!).length);
  const within = (k: number) => ranks.filter((rank) => rank < k).length / ranks.length;
  return { recall1: within(1), recall5: within(5) };
}

function rowsOf({ shape, data }: Float32Tensor): Float32Array[] {
  const [rows, size] = shape as [number, number];
  return Array.from({ length: rows }, (_, row) => data.subarray(row * size, (row + 1) * size));
}

function unit(tensor: Float32Tensor): Float32Array[] {
  return rowsOf(tensor).map((row) => row.map((value) => value / length(row)));
}

const length = (row: Float32Array): number => Math.sqrt(dot(row, row));
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += a[at]! * b[at]!;
  return sum;
}

function centre(rows: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(rows[0]!.length);
  for (const row of rows) {
    for (let at = 0; at < sum.length; at += 1) sum[at]! += row[at]! / rows.length;
  }
  return sum;
}
