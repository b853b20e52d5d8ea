/** Changes as clauses after `that` and the like: `a red star that has turned blue`. */

import type { Aspect } from '../world/changes.ts';

type WholeAspect = 'background' | 'add' | 'remove';

/** Beginnings of a clause about a scene's only object. */
export const leadsOfOne: readonly string[] = [
  ' that',
  ' which',
  ' that now',
  ' which now',
  ', only that {it}',
];

/** Beginnings of a clause about the whole image. */
export const leadsOfImage: readonly string[] = [
  ' that',
  ' which',
  ' that now',
  ' which now',
  ', but one that',
  ', in a version that',
];

/** Clauses about a scene's only object. */
export const clausesOfOne: Readonly<Record<Exclude<Aspect, WholeAspect>, readonly string[]>> = {
  colour: [
    '{has} turned {colour}',
    '{is} all {colour}',
    '{is} {colour} where {it} {was} {oldcolour}',
    '{is} no longer {oldcolour} but {colour}',
    '{has} gone from {oldcolour} to {colour}',
    '{is} otherwise the same but {colour}',
    '{is} the same {thing} again, in {colour}',
    '{has} been painted {colour}',
  ],
  texture: [
    '{has} taken on {pattern}',
    '{is} all {texture}',
    '{is} {texture} where {it} {was} {oldtexture}',
    '{is} no longer {oldtexture} but {texture}',
    '{has} {pattern} all over',
    '{is} otherwise the same but {texture}',
    '{is} the same {thing} again, with {pattern}',
  ],
  size: [
    '{is} {size} where {it} {was} {oldsize}',
    '{is} no longer {oldsize} but {size}',
    '{is} {sizer} than before',
    '{is} otherwise the same but {sizer}',
    '{is} the same {thing} again, only {sizer}',
    '{has} been {grown}',
  ],
  number: [
    'shows {num} where there {oldwas} {oldnum}',
    'comes with {num} of them',
    'comes with {more} of them',
    'is otherwise the same but with {num} of them',
    'shows {more} than before',
    'has {num} of these {thing}',
    'contains {num} {shape}',
    'contains {more} {kin}',
  ],
  position: [
    '{is} {position} where {it} {was} {oldposition}',
    '{is} no longer {oldposition} but {position}',
    '{has} been put {position}',
    '{has} been moved to {side}',
    '{is} otherwise the same but {position}',
    '{is} the same {thing} again, {position}',
  ],
  shape: [
    '{has} turned into {n} {shape}',
    '{is} no longer {n} {oldshape} but {n} {shape}',
    '{has} been swapped for {n} {shape}',
    'shows {n} {shape} where the {oldshape} {was}',
    'is otherwise the same but with {n} {shape}',
    'comes with {n} {shape} for the {oldshape}',
  ],
};

/** Clauses about one of several objects, which they must name. */
export const clausesOfNamed: typeof clausesOfOne = {
  colour: [
    'comes with the {shape} in {colour}',
    'has its {shape} in {colour}',
    'has turned the {shape} {colour}',
    'shows {n} {colour} {shape} for the {oldcolour} {one}',
    'has the {shape} {colour} where {it} {was} {oldcolour}',
    'is otherwise the same but with the {shape} in {colour}',
  ],
  texture: [
    'comes with {pattern} on the {shape}',
    'has its {shape} {texture}',
    'has made the {shape} {texture}',
    'shows {n} {texture} {shape} for the {oldtexture} {one}',
    'has the {shape} {texture} where {it} {was} {oldtexture}',
    'is otherwise the same but with {pattern} on the {shape}',
  ],
  size: [
    'comes with the {shape} {sizer}',
    'has its {shape} {size}',
    'has made the {shape} {sizer}',
    'shows {n} {size} {shape} for the {oldsize} {one}',
    'has the {shape} {size} where {it} {was} {oldsize}',
    'is otherwise the same but with the {shape} {size}',
  ],
  number: [
    'comes with {num} {shape}',
    'comes with {more} {kin}',
    'contains {num} {shape}',
    'contains {more} {kin} than before',
    'shows {num} {shape} where there {oldwas} {oldnum}',
    'is otherwise the same but has {num} {shape}',
    'is otherwise the same but has {more} {kin}',
  ],
  position: [
    'comes with the {shape} {position}',
    'has its {shape} {position}',
    'has put the {shape} {position}',
    'has shifted the {shape} to {side}',
    'has the {shape} {position} where {it} {was} {oldposition}',
    'is otherwise the same but has the {shape} {position}',
  ],
  shape: [
    'comes with {n} {shape} for the {oldshape}',
    'has turned the {oldshape} into {n} {shape}',
    'has swapped the {oldshape} for {n} {shape}',
    'shows {n} {shape} where the {oldshape} {was}',
    'is otherwise the same but has {n} {shape} for the {oldshape}',
  ],
};

/** Clauses about a scene as a whole. */
export const clausesOfImage: Readonly<Record<WholeAspect, readonly string[]>> = {
  background: [
    'is set {place}',
    'shows it all {place}',
    'was drawn {place}',
    'has {ground} for a background',
    'comes with {ground} behind',
    'is no longer {oldplace} but {place}',
    'is otherwise the same but {place}',
    'has {ground} in place of {oldground}',
  ],
  add: [
    'comes with {added} added',
    'has gained {added}',
    'also contains {added}',
    'shows {added} besides',
    'has {added} beside what was there',
    'is otherwise the same but has {added} too',
  ],
  remove: [
    'comes without the {shape}',
    'has lost the {shape}',
    'has everything but the {shape}',
    'shows it all without the {shape}',
    'no longer shows the {shape}',
    'contains no {shape}',
    'has no more {shape}',
    'shows no {shape} any more',
    'leaves out the {shape}',
    'goes without the {shape}',
    'misses the {shape}',
    'shows everything except the {shape}',
    'has the {shape} removed',
    'is otherwise the same but has no {shape}',
  ],
};
