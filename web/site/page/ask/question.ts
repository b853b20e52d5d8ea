/** What is asked: a picture and words; and words that fit a picture, with what would be right. */

import { type Change, changesOf, queryText, type Scene, sceneKey } from '../../../../src/mini/portable.ts';
import type { Hit, MiniQuery, Picture, World } from '../../world/protocol.ts';

/** The picture of a question: one of the gallery, one that somebody put together, or one drawn by hand. */
export type Reference =
  | { readonly kind: 'gallery'; readonly picture: Picture }
  | { readonly kind: 'built'; readonly scene: Scene; readonly pixels: ImageData }
  | { readonly kind: 'drawn'; readonly pixels: ImageData; readonly address: string };

export interface Suggestion {
  readonly words: string;
  /** Which scenes answer it. Absent for the benchmark's own queries: it says so itself. */
  readonly isRight?: Change['isTarget'];
}

export interface Question {
  readonly reference: Reference;
  readonly words: string;
}

const most = 6;
/** In letters: longer words do not fit on a phone, and say no more than short ones. */
const longest = 28;
const longestQuery = 44;

/** Words that change this picture. Those with right answers in the gallery come first. */
export function suggestionsFor(
  reference: Reference,
  { pictures, queries }: Pick<World, 'pictures' | 'queries'>,
  random: () => number = Math.random,
): readonly Suggestion[] {
  const scene = sceneOf(reference);
  if (scene === undefined) return wordsForAny.map((words) => ({ words }));
  const asked = reference.kind === 'gallery' ? queriesOf(reference.picture, queries) : [];
  const found: Suggestion[] = asked.map(({ text }) => ({ words: text }));
  const others: Suggestion[] = [];
  const scenes = scenesOf(pictures);
  for (const change of changesOf(scene, random)) {
    const words = queryText(change, random);
    if (words.length > longest || found.some((one) => one.words === words)) continue;
    const suggestion = { words, isRight: change.isTarget };
    if (change.targets.some((target) => scenes.has(sceneKey(target)))) found.push(suggestion);
    else others.push(suggestion);
  }
  return [...found, ...others].slice(0, most);
}

/** Whether a hit is a right answer; undefined if nobody knows. */
export function isRight(
  { id, isRight }: Hit,
  suggestion: Suggestion | undefined,
  { pictures }: Pick<World, 'pictures'>,
): boolean | undefined {
  return isRight ?? suggestion?.isRight?.(pictures[id - 1]!.scene);
}

export function sceneOf(reference: Reference): Scene | undefined {
  if (reference.kind === 'gallery') return reference.picture.scene;
  return reference.kind === 'built' ? reference.scene : undefined;
}

/** A text that tells references apart. */
export function keyOf(reference: Reference): string {
  switch (reference.kind) {
    case 'gallery':
      return `${reference.picture.id}`;
    case 'built':
      return sceneKey(reference.scene);
    case 'drawn':
      return reference.address;
  }
}

/**
 * Questions of the benchmark, whose right answers are known. The first few show what LinCIR can do that a sum of vectors
 * cannot; then they come by chance, and it fails at some, too.
 */
export const questions = {
  asked: 0,
  next({ pictures, queries }: Pick<World, 'pictures' | 'queries'>): Question {
    const id = telling[this.asked] ?? 1 + Math.floor(Math.random() * queries.length);
    this.asked += 1;
    const { reference, text } = queries[(id - 1) % queries.length]!;
    return { reference: { kind: 'gallery', picture: pictures[reference - 1]! }, words: text };
  },
};

/** What to search for, out of what was typed: `But it is at sunset.` asks for `is at sunset`. */
export function asked(words: string): string {
  return words
    .trim()
    .replace(/^(?:but|the same but|and)\s+/i, '')
    .replace(/^(?:it|that)\s+/i, '')
    .replace(/[.!]+$/, '');
}

const known = new WeakMap<readonly Picture[], ReadonlySet<string>>();

/** The scenes of all pictures: found once, for it takes too long to do so at each question. */
function scenesOf(pictures: readonly Picture[]): ReadonlySet<string> {
  const scenes = known.get(pictures) ?? new Set(pictures.map(({ scene }) => sceneKey(scene)));
  known.set(pictures, scenes);
  return scenes;
}

function queriesOf({ id }: Picture, queries: readonly MiniQuery[]): readonly MiniQuery[] {
  return queries.filter(({ reference, text }) => reference === id && text.length <= longestQuery);
}

/** Of short questions, some that LinCIR answers and a sum does not. The page says so. */
const telling = [90, 133, 423, 474, 279, 217, 517, 177];
const wordsForAny = [
  'is at sunset',
  'is on a beach',
  'has a red heart too',
  'is at night',
  'shows two of them',
];
