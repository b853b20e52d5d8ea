/** Wordings of queries: a change as the words after `a photo of $ that`. Training captions never use these wordings. */

import type { Aspect, Change, Edit } from '../world/changes.ts';
import { draw } from '../world/scene.ts';
import { editSlots } from './changed.ts';
import { queriesOfRelation, relationOf } from './relations.ts';
import { fill, tidy } from './words.ts';

/** Wordings for a reference with one object, which needs no name. */
const queriesOfOne: Readonly<Record<Aspect, readonly string[]>> = {
  colour: [
    '{is} {colour}',
    '{is} {colour} rather than {oldcolour}',
    '{is} the same but {colour}',
    '{is} painted {colour}',
    '{is} {colour}, not {oldcolour}',
    'shows the same {thing} in {colour}',
  ],
  texture: [
    '{has} {pattern}',
    '{is} {texture}',
    '{is} the same but {texture}',
    '{has} {pattern} in place of {oldpattern}',
    '{is} {texture}, not {oldtexture}',
    'shows the same {thing} with {pattern}',
  ],
  size: [
    '{is} {size}',
    '{is} {sizer}',
    '{is} the same but {sizer}',
    '{is} {size} rather than {oldsize}',
    '{is} of {size} size',
    'shows the same {thing} {grown}',
  ],
  number: [
    'shows {num} of them',
    'has {num} {shape}',
    'is the same but with {num} {shape}',
    'shows {num} {shape} rather than {oldnum}',
    'has {num} of them in it',
    'shows {more} of them',
    'has {more} {kin}',
    'is the same but with {more}',
  ],
  position: [
    '{is} {position}',
    '{is} {position} rather than {oldposition}',
    '{has} moved to {side}',
    '{is} the same but {position}',
    'shows the same {thing} {position}',
  ],
  shape: [
    '{is} {n} {shape}',
    'shows {n} {shape} rather than the {oldshape}',
    'has {n} {shape} in place of the {oldshape}',
    'is the same but with {n} {shape}',
    'has the {oldshape} changed to {n} {shape}',
  ],
  background: [
    'is {place}',
    'has {ground} behind',
    'is the same but {place}',
    'was taken {place}',
    'has {ground} as its background',
    'has {ground} behind, not {oldground}',
  ],
  add: [
    'has {added} added',
    'also has {added}',
    'shows {added} too',
    'has {added} as well',
    'is the same but with {added}',
    'has {added} in it too',
  ],
  remove: [
    'has no {shape}',
    'is without the {shape}',
    'is missing the {shape}',
    'has the {shape} taken away',
    'shows all but the {shape}',
    'shows no {shape}',
  ],
};

/** Wordings for several objects, which name the one they mean. */
const queriesOfNamed: Readonly<Record<Exclude<Aspect, 'background' | 'add' | 'remove'>, readonly string[]>> =
  {
    colour: [
      'has the {shape} in {colour}',
      'shows the {shape} in {colour}',
      'has the {shape} painted {colour}',
      'has the {shape} {colour} rather than {oldcolour}',
      'is the same but with the {shape} {colour}',
    ],
    texture: [
      'has {pattern} on the {shape}',
      'has the {shape} {texture}',
      'shows the {shape} with {pattern}',
      'has the {shape} {texture} rather than {oldtexture}',
      'is the same but with the {shape} {texture}',
    ],
    size: [
      'has the {shape} {sizer}',
      'shows the {shape} {sizer}',
      'has {n} {size} {shape}, not {oldsize}',
      'is the same but with the {shape} {sizer}',
      'has the {shape} {size} rather than {oldsize}',
    ],
    number: [
      'has {num} {shape}',
      'shows {num} {shape} rather than {oldnum}',
      'is the same but with {num} {shape}',
      'has {num} {shape} in place of {oldnum}',
      'has {more} {kin}',
      'shows {more} {kin}',
      'is the same but with {more} {kin}',
    ],
    position: [
      'has the {shape} {position}',
      'shows the {shape} {position}',
      'has the {shape} moved to {side}',
      'is the same but with the {shape} {position}',
      'has the {shape} {position} rather than {oldposition}',
    ],
    shape: [
      'has {n} {shape} in place of the {oldshape}',
      'shows {n} {shape} rather than the {oldshape}',
      'has the {oldshape} changed to {n} {shape}',
      'is the same but with {n} {shape} for the {oldshape}',
      'has {n} {shape}, not the {oldshape}',
    ],
  };

/**
 * A change in words, for after `a photo of $ that`: `is red`, `has no star`, `has the moon in pink and is at night`. Verbs
 * are singular, because their subject is the photo.
 */
export function queryText(change: Change, random: () => number): string {
  const isPlain = (wording: string) => change.edits.length === 1 || !/same|rather|not|taken/.test(wording);
  const clauses = change.edits.map((edit) => {
    const relation = relationOf(edit, change.reference, random);
    const wordings = relation ? queriesOfRelation[relation.kind] : wordingsFor(edit, change);
    return fill(draw(wordings.filter(isPlain), random), {
      ...editSlots(edit, false, random, relation?.other),
      is: () => 'is',
      has: () => 'has',
    });
  });
  return tidy(clauses.join(' and '));
}

/** Every wording. */
export function queryWordings(): string[] {
  return [queriesOfOne, queriesOfNamed, queriesOfRelation].flatMap((each) => Object.values(each).flat());
}

function wordingsFor(edit: Edit, { reference }: Change): readonly string[] {
  const { aspect } = edit;
  const isWhole = aspect === 'background' || aspect === 'add' || aspect === 'remove';
  return isWhole || reference.objects.length === 1 ? queriesOfOne[aspect] : queriesOfNamed[aspect];
}
