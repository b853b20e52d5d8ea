/** Phrases for objects: one group of things, and several in a row. */

import type { PartialObject } from '../world/changes.ts';
import { type Attribute, draw, type SceneObject } from '../world/scene.ts';
import { fill, objectSlots, slotsOf, word } from './words.ts';

/** How much a phrase says: everything, anything, or only what is known. */
type Detail = 'complete' | 'any' | 'known';

/** Phrases for one group of things. */
export const objectForms: readonly string[] = [
  // These are complete.
  '{n} {size} {colour} {texture} {shape} {position}',
  '{n} {size} {texture} {colour} {shape} {position}',
  '{n} {texture} {size} {colour} {shape} {position}',
  '{n} {size} {colour} {shape} with {pattern} {position}',
  '{n} {colour} {size} {shape} with {pattern} {position}',
  '{n} {size} {texture} {shape} in {colour} {position}',
  '{n} {size} {shape} in {colour} with {pattern} {position}',
  '{n} {size} {shape} painted {colour} with {pattern} {position}',
  '{n} {colour} {shape} of {size} size with {pattern} {position}',
  '{n} {texture} {shape} of {size} size in {colour} {position}',
  '{n} {size} {colour} {shape} {position} with {pattern}',
  '{n} {size} {shape} {position} in {colour} with {pattern}',
  '{n} {colour} {texture} {shape} {position} which {is} {size}',
  '{n} {size} {shape} {position} that {is} {colour} and {texture}',
  '{n} {size} {texture} {shape} {position} whose colour is {colour}',
  '{n} {texture} {colour} {shape} of {size} size {position}',
  '{position} {n} {size} {colour} {texture} {shape}',
  '{position} {n} {size} {texture} {shape} in {colour}',
  '{position} {n} {size} {colour} {shape} with {pattern}',
  '{n} {colour} {shape}, {size} and {texture}, {position}',
  '{n} {shape}, {size}, {colour} and with {pattern}, {position}',
  '{n} {shape} {position}, {size}, {colour}, {texture}',
  '{n} {shape} {position} that {has} {pattern}, {size} and {colour}',
  '{n} {size} {shape}, which {is} {colour} and {has} {pattern}, {position}',
  '{n} {spot} {size} {colour} {texture} {shape}',
  '{n} {spot} {size} {texture} {colour} {shape}',
  '{n} {size} {colour} {texture} {spot} {shape}',
  '{n} {spot} {size} {colour} {shape} with {pattern}',
  '{some} {spot} {size} {colour} {texture} {shape}',
  '{some} {spot} {size} {texture} {colour} {shape}',
  '{some} {size} {colour} {texture} {spot} {shape}',
  // These leave something out.
  '{n} {shape}',
  '{n} {colour} {shape}',
  '{n} {size} {shape}',
  '{n} {texture} {shape}',
  '{n} {shape} with {pattern}',
  '{n} {shape} in {colour}',
  '{n} {shape} {position}',
  '{n} {size} {colour} {shape}',
  '{n} {texture} {colour} {shape}',
  '{n} {colour} {texture} {shape}',
  '{n} {size} {texture} {shape}',
  '{n} {colour} {shape} with {pattern}',
  '{n} {texture} {shape} in {colour}',
  '{n} {colour} {shape} {position}',
  '{n} {size} {shape} {position}',
  '{n} {texture} {shape} {position}',
  '{n} {size} {colour} {shape} {position}',
  '{n} {colour} {texture} {shape} {position}',
  '{n} {shape} {position} with {pattern}',
  '{n} {size} {colour} {texture} {shape}',
  '{n} {size} {texture} {colour} {shape}',
  '{n} {size} {shape} in {colour} with {pattern}',
  '{n} {shape} that {is} {colour} and {texture}',
  '{n} {texture} {shape} that {is} {size} and {colour}',
  '{n} {colour} {shape} which {is} {texture}',
  '{n} {texture} {shape} which {is} {colour}',
  '{n} {shape} that {has} {pattern} and {is} {colour}',
  '{n} {shape} which {has} {pattern}',
  '{n} {shape} painted {colour}',
  '{n} {size} {shape} painted {colour}',
  '{n} {colour} {thing}',
  '{n} {texture} {thing}',
  '{n} {size} {thing} {position}',
  '{n} {texture} {thing} that {is} all {colour}',
  '{n} {colour} {thing} with {pattern}',
  '{n} {spot} {colour} {shape}',
  '{n} {spot} {size} {colour} {shape}',
  '{some} {colour} {shape}',
  '{some} {size} {colour} {shape}',
  '{some} {colour} {texture} {shape}',
  '{some} {texture} {shape}',
  '{some} {spot} {colour} {shape}',
  '{some} {spot} {shape}',
  '{position} {n} {shape}',
  '{position} {n} {colour} {shape}',
];

/** Phrases for several groups in a row. */
const joins: Readonly<Record<2 | 3, readonly string[]>> = {
  2: [
    '{A} and {B}',
    '{A} and {B}',
    '{A}, {B}',
    '{A} with {B}',
    '{A} together with {B}',
    '{A} as well as {B}',
    '{A} along with {B}',
  ],
  3: [
    '{A}, {B} and {C}',
    '{A}, {B}, {C}',
    '{A} and {B} and {C}',
    '{A}, {B}, and also {C}',
    '{A} together with {B} and {C}',
    '{A} with {B} and {C}',
  ],
};

/** Phrases for relative positions. The first object is further left, or higher. */
const relations = {
  across: {
    2: ['{A} left of {B}', '{B} right of {A}', '{A} next to {B}', '{A} beside {B}', '{A} to the left of {B}'],
    3: ['{B} between {A} and {C}', '{A} next to {B} and {C}'],
  },
  down: {
    2: ['{A} above {B}', '{B} below {A}', '{B} under {A}', '{A} over {B}'],
    3: ['{B} between {A} and {C}', '{A} above {B} and {C}'],
  },
} as const;

/** The attributes in a form. */
function saidBy(form: string): ReadonlySet<Attribute> {
  return saidByForm.get(form)!;
}

/** Whether a form is complete. */
function saysAll(form: string): boolean {
  return saidBy(form).size === 6;
}

/** Whether a form begins with the position, which does not read well after `a photo of`. */
export function beginsWithPosition(form: string): boolean {
  return form.startsWith('{position}');
}

/** Whether a form is for titles, which have no articles. */
export function isTitle(form: string): boolean {
  return form.startsWith('{some}');
}

/** A phrase for one group: `two small red stars on the left`. */
export function objectPhrase(
  object: PartialObject,
  detail: Detail,
  random: () => number,
  allows: (form: string) => boolean = () => true,
): string {
  const known = Object.keys(object).length;
  const forms = objectForms.filter((form) => {
    if (!allows(form)) return false;
    if (detail === 'any') return true;
    const said = saidBy(form);
    return detail === 'complete' ? saysAll(form) : said.size === known && [...said].every((a) => a in object);
  });
  return fill(draw(forms, random), objectSlots(object, random));
}

/** A phrase for all groups of a scene, in any order. */
export function objectsPhrase(
  objects: readonly SceneObject[],
  detail: Detail,
  random: () => number,
  allows: (form: string) => boolean = () => true,
): string {
  const [only] = objects;
  if (objects.length === 1) return objectPhrase(only!, detail, random, allows);
  const count = objects.length as 2 | 3;
  const related = detail === 'any' && random() < 0.3;
  const line = objects.every(({ position }) => ['left', 'centre', 'right'].includes(position))
    ? relations.across
    : relations.down;
  const template = related ? draw(line[count], random) : word(joins[count], random);
  const inOrder = related ? objects : random() < 0.5 ? objects : objects.toReversed();
  const fits = (form: string) =>
    allows(form) && !form.includes(',') && !(related && saidBy(form).has('position'));
  const phrases = inOrder.map((object) => objectPhrase(object, detail, random, fits));
  return fill(template, { A: () => phrases[0]!, B: () => phrases[1]!, C: () => phrases[2]! });
}

const spoken: Readonly<Record<string, readonly Attribute[]>> = {
  n: ['number'],
  some: ['number'],
  spot: ['position'],
  num: ['number'],
  shape: ['shape'],
  colour: ['colour'],
  texture: ['texture'],
  pattern: ['texture'],
  size: ['size'],
  position: ['position'],
};

const saidByForm: ReadonlyMap<string, ReadonlySet<Attribute>> = new Map(
  objectForms.map((form) => [form, new Set(slotsOf(form).flatMap((slot) => spoken[slot] ?? []))]),
);
