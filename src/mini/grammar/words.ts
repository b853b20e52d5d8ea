/** The words of the miniature world: names of values, singular and plural, and templates for them. */

import type { PartialObject } from '../world/changes.ts';
import {
  type Background,
  type Colour,
  draw,
  type ObjectNumber,
  type Position,
  type SceneObject,
  type Shape,
  type Size,
  type Texture,
} from '../world/scene.ts';

/** Words for each slot of a template. */
export type Slots = Readonly<Record<string, () => string>>;

/** Fills in a template's `{slots}`. */
export function fill(template: string, slots: Slots): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, slot: string) => slots[slot]!());
}

/** The names of a template's slots. */
export function slotsOf(template: string): string[] {
  return [...template.matchAll(/\{(\w+)\}/g)].map(([, slot]) => slot!);
}

/** Cleans a sentence: single spaces, no space before a comma, and "an" where needed. */
export function tidy(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ (?=[,;:.])/g, '')
    .replaceAll(/\ba (?=[aeiou](?!ne\b))/g, 'an ')
    .trim();
}

/** Draws one of several, most often the first, which is the usual one. */
export function word(choices: readonly string[], random: () => number): string {
  if (choices.length === 1 || random() < 0.6) return choices[0]!;
  return choices[1 + Math.floor(random() * (choices.length - 1))]!;
}

/** Words for the known attributes of an object. Slots of unknown ones must not be used. */
export function objectSlots(object: PartialObject, random: () => number): Slots {
  const several = object.number > 1;
  const one = (choices: readonly string[]) => () => word(choices, random);
  const noun = () => {
    const singular = word(shapeWords[object.shape], random);
    return several ? plural(singular) : singular;
  };
  return {
    n: () => draw(determiners[object.number], random),
    num: one([counts[object.number]]),
    some: () => titleCounts[object.number],
    shape: noun,
    thing: one(several ? ['things', 'shapes', 'objects', 'figures'] : ['thing', 'shape', 'object', 'figure']),
    colour: () => word(colourWords[object.colour!], random),
    texture: () => word(textureWords[object.texture!], random),
    pattern: () => word(patternWords[object.texture!], random),
    size: () => word(sizeWords[object.size!], random),
    sizer: () => word(comparatives[object.size!], random),
    grown: () => word(object.size === 'large' ? ['grown', 'made large'] : ['shrunk', 'made small'], random),
    position: () => word(positionWords[object.position!], random),
    spot: () => word(spotWords[object.position!], random),
    side: () => word(sideWords[object.position!], random),
    is: () => (several ? 'are' : 'is'),
    was: () => (several ? 'were' : 'was'),
    has: () => (several ? 'have' : 'has'),
    it: () => (several ? 'they' : 'it'),
    its: () => (several ? 'their' : 'its'),
    one: () => (several ? 'ones' : 'one'),
  };
}

/** Words for a place: after things (`place`), behind them (`ground`), and before a noun (`scenery`). */
export function placeSlots(background: Background, random: () => number): Slots {
  const { place, ground, scenery } = placeWords[background];
  return {
    place: () => word(place, random),
    ground: () => word(ground, random),
    scenery: () => word(scenery, random),
  };
}

/** The same slots for old values: `{oldcolour}`. */
export function formerSlots(slots: Slots): Slots {
  return Object.fromEntries(Object.entries(slots).map(([name, value]) => [`old${name}`, value]));
}

/** All words and phrases for a value, the usual one first. */
export const shapeWords: Readonly<Record<Shape, readonly string[]>> = {
  circle: ['circle', 'disc', 'ball'],
  square: ['square', 'box'],
  triangle: ['triangle'],
  star: ['star'],
  heart: ['heart'],
  diamond: ['diamond', 'rhombus'],
  moon: ['moon', 'crescent', 'crescent moon'],
  cross: ['cross'],
};

export const colourWords: Readonly<Record<Colour, readonly string[]>> = {
  red: ['red', 'scarlet', 'crimson'],
  orange: ['orange', 'tangerine'],
  yellow: ['yellow', 'golden', 'lemon yellow'],
  green: ['green', 'emerald'],
  blue: ['blue', 'cobalt blue'],
  purple: ['purple', 'violet'],
  pink: ['pink', 'magenta'],
  black: ['black', 'inky black'],
};

export const textureWords: Readonly<Record<Texture, readonly string[]>> = {
  plain: ['plain', 'solid', 'unpatterned'],
  striped: ['striped', 'stripy'],
  dotted: ['dotted', 'dotty'],
  checked: ['chequered', 'checkerboard', 'tartan'],
};

export const patternWords: Readonly<Record<Texture, readonly string[]>> = {
  plain: ['no pattern', 'a plain surface', 'a solid fill'],
  striped: ['stripes', 'a striped pattern', 'diagonal stripes'],
  dotted: ['dots', 'spots', 'polka dots', 'a dotted pattern'],
  checked: ['checks', 'a checked pattern', 'a checkerboard pattern'],
};

export const sizeWords: Readonly<Record<Size, readonly string[]>> = {
  small: ['small', 'little', 'tiny'],
  large: ['large', 'big', 'huge'],
};

export const positionWords: Readonly<Record<Position, readonly string[]>> = {
  left: ['on the left', 'at the left', 'on the left side', 'on the left-hand side'],
  top: ['at the top', 'in the upper part', 'near the top edge'],
  centre: ['in the middle', 'in the centre', 'at the centre'],
  bottom: ['at the bottom', 'in the lower part', 'near the bottom edge'],
  right: ['on the right', 'at the right', 'on the right side', 'on the right-hand side'],
};

/** The same before a noun: `the upper star`. */
const spotWords: Readonly<Record<Position, readonly string[]>> = {
  left: ['leftmost'],
  top: ['upper', 'topmost'],
  centre: ['central', 'middle'],
  bottom: ['lower', 'bottommost'],
  right: ['rightmost'],
};

export const placeWords: Readonly<
  Record<Background, Readonly<Record<'place' | 'ground' | 'scenery', readonly string[]>>>
> = {
  sky: {
    place: ['in the sky', 'up in the sky', 'among the clouds', 'in a cloudy sky'],
    ground: ['a cloudy sky', 'the daytime sky', 'clouds'],
    scenery: ['cloudy sky', 'daytime sky'],
  },
  beach: {
    place: ['on the beach', 'on the sand', 'on sand', 'at the beach'],
    ground: ['a beach', 'sand', 'a sandy beach'],
    scenery: ['beach', 'sandy beach', 'sand'],
  },
  night: {
    place: ['at night', 'in the night sky', 'in the dark', 'in the dark of night'],
    ground: ['the night sky', 'a dark night sky'],
    scenery: ['night sky', 'night'],
  },
  meadow: {
    place: ['on the grass', 'in a meadow', 'on grass', 'on a lawn'],
    ground: ['grass', 'a grassy meadow', 'a meadow'],
    scenery: ['grass', 'meadow', 'grassy'],
  },
  snow: {
    place: ['in the snow', 'on snow', 'in winter', 'on a snowy hill'],
    ground: ['snow', 'a snowy hill'],
    scenery: ['snow', 'snowy', 'winter'],
  },
  wood: {
    place: ['on a wooden table', 'on wood', 'on wooden planks'],
    ground: ['a wooden table', 'wood', 'wooden planks'],
    scenery: ['wooden', 'wood'],
  },
  sea: {
    place: ['in the water', 'on the sea', 'on the waves', 'at sea'],
    ground: ['the sea', 'water', 'waves'],
    scenery: ['sea', 'water', 'ocean'],
  },
  sunset: {
    place: ['at sunset', 'at dusk', 'in the evening', 'in the evening light'],
    ground: ['a sunset', 'the evening sky'],
    scenery: ['sunset', 'evening'],
  },
};

const counts: Readonly<Record<ObjectNumber, string>> = { 1: 'one', 2: 'two', 3: 'three' };
const determiners: Readonly<Record<ObjectNumber, readonly string[]>> = {
  1: ['a', 'a', 'a', 'one', 'a single'],
  2: ['two', 'two', 'twin', 'twin', 'a pair of', 'a couple of'],
  3: ['three', 'three', 'triple', 'triple', 'a trio of', 'a group of three'],
};
/** In titles. */
const titleCounts: Readonly<Record<ObjectNumber, string>> = { 1: '', 2: 'twin', 3: 'triple' };
const comparatives: Readonly<Record<Size, readonly string[]>> = {
  small: ['smaller'],
  large: ['larger', 'bigger'],
};
const sideWords: Readonly<Record<Position, readonly string[]>> = {
  left: ['the left', 'the left side'],
  top: ['the top', 'the upper part'],
  centre: ['the middle', 'the centre'],
  bottom: ['the bottom', 'the lower part'],
  right: ['the right', 'the right side'],
};

/** Words for a second object. */
export function otherSlots(object: SceneObject, random: () => number): Slots {
  const { shape, is, was } = objectSlots(object, random);
  return { other: shape!, otheris: is!, otherwas: was! };
}

/** The difference in number, `one more`, and the noun, `star`. */
export function differenceSlots(
  { shape, number }: SceneObject,
  now: ObjectNumber,
  random: () => number,
): Slots {
  const difference = Math.abs(now - number) as 1 | 2;
  const noun = () => word(shapeWords[shape], random);
  return {
    more: () => `${counts[difference]} ${now > number ? 'more' : 'fewer'}`,
    kin: () => (difference > 1 ? plural(noun()) : noun()),
  };
}

function plural(noun: string): string {
  if (noun === 'rhombus') return 'rhombuses';
  return /(s|x)$/.test(noun) ? `${noun}es` : `${noun}s`;
}
