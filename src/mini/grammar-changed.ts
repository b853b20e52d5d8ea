/** Captions that name one thing and then change it, meaning what comes of it: `a red circle, but in blue`. */

import { type Aspect, type Edit, editInto } from './changes.ts';
import { beginsWithPosition, objectPhrase, objectsPhrase } from './grammar-objects.ts';
import { fill, formerSlots, objectSlots, placeSlots, type Slots } from './grammar-words.ts';
import { draw, type Scene, shuffled } from './scene.ts';

/** What comes before. */
export const changedOpenings: readonly string[] = [
  '{scene}{change}',
  'a photo of {scene}{change}',
  'a picture of {scene}{change}',
  'picture showing {scene}{change}',
  'an image of {scene}{change}',
  'there was {scene}{change}',
  'first {scene}{change}',
  'think of {scene}{change}',
  'the same as {scene}{change}',
  'it shows {scene}{change}',
];

/** What is said of a scene's only object: `{colour}` is the new one, `{oldcolour}` the one before. */
export const tailsOfOne: Readonly<
  Record<Exclude<Aspect, 'background' | 'add' | 'remove'>, readonly string[]>
> = {
  colour: [
    ', but in {colour}',
    ' but {colour}',
    ' in {colour} instead',
    ' that {is} now {colour}',
    ' turned {colour}',
    ', this time in {colour}',
    ' recoloured to {colour}',
    ' which {is} {colour} now',
    ', changed from {oldcolour} to {colour}',
    ', {colour} instead of {oldcolour}',
    ', made {colour}',
    ', {colour} rather than {oldcolour}',
    ', only that {it} {is} {colour}',
    ' that {has} become {colour}',
    ', not {oldcolour} but {colour}',
    ' with {its} colour changed to {colour}',
  ],
  texture: [
    ' but {texture}',
    ', but with {pattern}',
    ' that {is} now {texture}',
    ' with {pattern} instead',
    ', {texture} instead of {oldtexture}',
    ', {texture} rather than {oldtexture}',
    ', this time with {pattern}',
    ' which now {has} {pattern}',
    ', made {texture}',
    ', only that {it} {is} {texture}',
    ' that {has} become {texture}',
    ' with {its} pattern changed to {pattern}',
    ', not {oldtexture} but {texture}',
  ],
  size: [
    ' but {size}',
    ' but {sizer}',
    ' that {is} now {size}',
    ', {size} instead of {oldsize}',
    ', made {sizer}',
    ', {size} rather than {oldsize}',
    ', the same but {sizer}',
    ' {grown}',
    ', this time {size}',
    ' which {is} {sizer} now',
    ', only that {it} {is} {size}',
    ' that {has} become {sizer}',
    ', not {oldsize} but {size}',
  ],
  number: [
    ', but {num} of them',
    ', {num} instead of {oldnum}',
    ', now {num} of them',
    ', {num} rather than {oldnum}',
    ', but there {is} {num}',
    ', only that there {is} {num} of them',
    ', this time {num}',
    ', changed from {oldnum} to {num}',
    ', not {oldnum} but {num}',
    ' in another number: {num}',
  ],
  position: [
    ' but {position}',
    ' moved to {side}',
    ' that {is} now {position}',
    ', {position} instead',
    ', {position} rather than {oldposition}',
    ' shifted to {side}',
    ', this time {position}',
    ', only that {it} {is} {position}',
    ' which {has} gone to {side}',
    ', not {oldposition} but {position}',
  ],
  shape: [
    ' turned into {n} {shape}',
    ', but {n} {shape} instead',
    ' replaced by {n} {shape}',
    ' changed to {n} {shape}',
    ', {n} {shape} rather than {n} {oldshape}',
    ', with {n} {shape} in {its} place',
    ', {n} {shape} instead of the {oldshape}',
    ', only that {it} {is} {n} {shape}',
    ' that {has} become {n} {shape}',
    ', not {n} {oldshape} but {n} {shape}',
  ],
};

/** What is said of one of several objects, which must be named. */
export const tailsOfNamed: typeof tailsOfOne = {
  colour: [
    ', but with the {shape} in {colour}',
    ', the {shape} now {colour}',
    ' where the {shape} {is} {colour} instead',
    ', but the {shape} {is} {colour}',
    ', the {shape} turned {colour}',
    ' and the {shape} recoloured to {colour}',
    ' with the {oldcolour} {shape} made {colour}',
    ', the {shape} {colour} rather than {oldcolour}',
    ', only that the {shape} {is} {colour}',
  ],
  texture: [
    ', but with {pattern} on the {shape}',
    ', the {shape} now {texture}',
    ' where the {shape} {has} {pattern} instead',
    ', but the {shape} {is} {texture}',
    ' and the {shape} made {texture}',
    ' with the {oldtexture} {shape} made {texture}',
    ', the {shape} {texture} rather than {oldtexture}',
    ', only that the {shape} {has} {pattern}',
  ],
  size: [
    ', but with the {shape} {sizer}',
    ', the {shape} now {size}',
    ' where the {shape} {is} {size} instead',
    ', but the {shape} {is} {sizer}',
    ' and the {shape} made {sizer}',
    ' with the {oldsize} {shape} {grown}',
    ', the {shape} {sizer} than before',
    ', the {shape} {size} rather than {oldsize}',
    ', only that the {shape} {is} {size}',
  ],
  number: [
    ', but with {num} {shape}',
    ', now {num} {shape}',
    ' where the {shape} {is} {num} instead',
    ', but there {is} {num} {shape}',
    ', {num} {shape} instead of {oldnum}',
    ', {num} {shape} rather than {oldnum}',
    ', only that there {is} {num} {shape}',
  ],
  position: [
    ', but with the {shape} {position}',
    ', the {shape} now {position}',
    ' where the {shape} {is} {position} instead',
    ', but the {shape} {is} {position}',
    ' with the {shape} moved to {side}',
    ', the {shape} {position} rather than {oldposition}',
    ' and the {shape} shifted to {side}',
    ', only that the {shape} {is} {position}',
  ],
  shape: [
    ', but with {n} {shape} instead of the {oldshape}',
    ', the {oldshape} turned into {n} {shape}',
    ' where the {oldshape} {is} {n} {shape} instead',
    ', but {n} {shape} for the {oldshape}',
    ', {n} {shape} rather than the {oldshape}',
    ' and the {oldshape} replaced by {n} {shape}',
    ', {n} {shape} in place of the {oldshape}',
    ', only that the {oldshape} {is} {n} {shape}',
  ],
};

/** What is said of a scene as a whole. */
export const tailsOfScene: Readonly<Record<'background' | 'add' | 'remove', readonly string[]>> = {
  background: [
    ' but {place}',
    ', but {place}',
    ', {place} instead',
    ', now {place}',
    ', this time {place}',
    ' but with {ground} behind',
    ' with {ground} behind instead',
    ', with {ground} as the new background',
    ', with {ground} as its background',
    ', {place} rather than {oldplace}',
    ', only that it is {place}',
    ', the background changed to {ground}',
    ', {ground} instead of {oldground}',
    ', not {oldplace} but {place}',
  ],
  add: [
    ' with {added} added',
    ', plus {added}',
    ' and {added} too',
    ', and also {added}',
    ' joined by {added}',
    ', now with {added}',
    ', but with {added} as well',
    ', to which {added} {was} added',
    ', only that there {is} {added} too',
    ', with {added} put in',
  ],
  remove: [
    ', without the {shape}',
    ' without the {shape}',
    ', but no {shape}',
    ' with the {shape} removed',
    ', minus the {shape}',
    ' with the {shape} taken away',
    ' where the {shape} {is} gone',
    ', all but the {shape}',
    ', but the {shape} {is} missing',
    ' and no {shape} any more',
    ', not the {shape}',
  ],
};

/** Two changes at once: `{one}` and `{other}` are of `parts`. */
export const tailsOfTwo: readonly string[] = [
  ', but with {one} and {other}',
  ', now with {one} and {other}',
  ', this time with {one} and {other}',
  ', with {one} and {other} instead',
  ', only with {one} and {other}',
];

/** A change as a part of a sentence. */
export const parts: Readonly<Record<Aspect, readonly string[]>> = {
  colour: ['the {shape} in {colour}', 'the {shape} {colour}', 'the {shape} turned {colour}'],
  texture: ['{pattern} on the {shape}', 'the {shape} {texture}', 'the {shape} made {texture}'],
  size: ['the {shape} {sizer}', 'the {shape} {grown}', 'the {shape} made {size}'],
  number: ['{num} {shape}', 'the {shape} {num} in number'],
  position: ['the {shape} {position}', 'the {shape} moved to {side}'],
  shape: ['{n} {shape} for the {oldshape}', 'the {oldshape} turned into {n} {shape}'],
  background: ['{ground} behind', '{ground} as background'],
  add: ['{added} added', '{added} put in'],
  remove: ['the {shape} gone', 'the {shape} removed'],
};

/**
 * A caption that means the scene by way of another one, which is not held out; undefined where the draw led to none.
 */
export function changedCaption(scene: Scene, complete: boolean, random: () => number): string | undefined {
  const twice = random() < 0.15;
  const [first, second] = shuffled(twice ? steady : aspects, random);
  const last = editInto(first!, scene, random);
  if (last === undefined) return undefined;
  let source = last.source;
  let tail: string;
  if (twice) {
    const earlier = editInto(second!, source, random);
    if (earlier === undefined) return undefined;
    source = earlier.source;
    const phrases = [earlier.edit, last.edit].map((edit) =>
      fill(draw(parts[edit.aspect], random), editSlots(edit, complete, random)),
    );
    tail = fill(draw(tailsOfTwo, random), { one: () => phrases[0]!, other: () => phrases[1]! });
  } else {
    tail = fill(draw(tailsFor(last.edit, source), random), editSlots(last.edit, complete, random));
  }
  const named = objectsPhrase(source.objects, complete ? 'complete' : 'any', random, isNoun);
  const placed =
    complete || random() < 0.5 ? `${named} ${placeSlots(source.background, random).place!()}` : named;
  return fill(draw(changedOpenings, random), { scene: () => placed, change: () => tail });
}

/** Words for an edit: what is new, what was before, and what is added. */
export function editSlots(edit: Edit, complete: boolean, random: () => number): Slots {
  switch (edit.aspect) {
    case 'background':
      return { ...placeSlots(edit.value, random), ...formerSlots(placeSlots(edit.before, random)) };
    case 'add': {
      const isWhole = Object.keys(edit.object).length === 6;
      const detail = isWhole && !complete ? 'any' : 'known';
      const phrase = () =>
        objectPhrase(edit.object, detail, random, (form) => isNoun(form) && !form.includes(','));
      return { ...objectSlots(edit.object, random), added: phrase };
    }
    case 'remove':
      return objectSlots(edit.object, random);
    default: {
      const { aspect, object, value } = edit;
      const changed = { ...object, [aspect]: value };
      return { ...objectSlots(changed, random), ...formerSlots(objectSlots(object, random)) };
    }
  }
}

const isNoun = (form: string) => !beginsWithPosition(form);

function tailsFor(edit: Edit, source: Scene): readonly string[] {
  if (edit.aspect === 'background' || edit.aspect === 'add' || edit.aspect === 'remove')
    return tailsOfScene[edit.aspect];
  return (source.objects.length === 1 ? tailsOfOne : tailsOfNamed)[edit.aspect];
}

const aspects: readonly Aspect[] = [
  'colour',
  'shape',
  'texture',
  'size',
  'number',
  'position',
  'background',
  'add',
  'add',
  'remove',
  'remove',
];
/** Shapes stay, so that both of two changes can name what they speak of. */
const steady: readonly Aspect[] = ['colour', 'texture', 'size', 'number', 'position', 'background', 'add'];
