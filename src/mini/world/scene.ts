/** Scenes of the miniature world: what a scene is, how to draw one, and which ones are held out from training. */

export const backgrounds = ['sky', 'beach', 'night', 'meadow', 'snow', 'wood', 'sea', 'sunset'] as const;
export const shapes = ['circle', 'square', 'triangle', 'star', 'heart', 'diamond', 'moon', 'cross'] as const;
export const colours = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'black'] as const;
export const textures = ['plain', 'striped', 'dotted', 'checked'] as const;
export const sizes = ['small', 'large'] as const;
/** Also the order of a scene's objects. */
export const positions = ['left', 'top', 'centre', 'bottom', 'right'] as const;
export const numbers = [1, 2, 3] as const;

export type Background = (typeof backgrounds)[number];
export type Shape = (typeof shapes)[number];
export type Colour = (typeof colours)[number];
export type Texture = (typeof textures)[number];
export type Size = (typeof sizes)[number];
export type Position = (typeof positions)[number];
export type ObjectNumber = (typeof numbers)[number];

/** One to three equal things that stand together. */
export interface SceneObject {
  readonly shape: Shape;
  readonly colour: Colour;
  readonly texture: Texture;
  readonly size: Size;
  readonly position: Position;
  readonly number: ObjectNumber;
}

export interface Scene {
  readonly background: Background;
  /** One to three, each with its own shape, all in one line, from left to right or from top to bottom. */
  readonly objects: readonly SceneObject[];
}

/** An object's attributes, and all their values. */
export const attributes = {
  shape: shapes,
  colour: colours,
  texture: textures,
  size: sizes,
  position: positions,
  number: numbers,
} as const;
export type Attribute = keyof typeof attributes;

/** Draws a scene of one to three objects. Few have three. */
export function sampleScene(random: () => number): Scene {
  const kinds = draw([1, 1, 1, 1, 2, 2, 2, 2, 3] as const, random);
  const line = draw(lines, random);
  const places = kinds === 1 ? [draw(positions, random)] : shuffled(line, random).slice(0, kinds);
  const figures = shuffled(shapes, random);
  const objects = places.map((position, at) => ({
    shape: figures[at]!,
    colour: draw(colours, random),
    texture: draw(textures, random),
    size: draw(sizes, random),
    position,
    number: draw([1, 1, 2, 3] as const, random),
  }));
  return orderedScene({ background: draw(backgrounds, random), objects });
}

/** Whether the objects make a valid `Scene`: one to three, distinct in shape and place, in one line. */
export function isPossible({ objects }: Scene): boolean {
  const distinct = (key: Attribute) => new Set(objects.map((object) => object[key])).size === objects.length;
  const inLine = lines.some((line) => objects.every(({ position }) => line.includes(position)));
  return objects.length > 0 && objects.length <= 3 && distinct('shape') && distinct('position') && inLine;
}

/** The scene, with its objects in the order of `positions`. */
export function orderedScene({ background, objects }: Scene): Scene {
  const place = ({ position }: SceneObject) => positions.indexOf(position);
  return { background, objects: objects.toSorted((one, other) => place(one) - place(other)) };
}

/** A text that identifies the scene, whatever the order of its objects. */
export function sceneKey(scene: Scene): string {
  const objects = orderedScene(scene).objects.map(
    ({ position, number, size, colour, texture, shape }) =>
      `${position} ${number} ${size} ${colour} ${texture} ${shape}`,
  );
  return [scene.background, ...objects].join('; ');
}

/** Whether a scene is held out from training: one in ten, chosen by its key alone. */
export function isHeldOut(scene: Scene): boolean {
  return hashOf(sceneKey(scene)) % 10 === 0;
}

/** 32 well mixed bits of a text: FNV-1a (Fowler, Noll, Vo), then the finalizer of MurmurHash3 (Appleby). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Draws one of several, all equally likely. */
export function draw<Value>(values: readonly Value[], random: () => number): Value {
  return values[Math.floor(random() * values.length)]!;
}

/** The values in a random order (Fisher and Yates). */
export function shuffled<Value>(values: readonly Value[], random: () => number): Value[] {
  const order = [...values];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

const lines: readonly (readonly Position[])[] = [
  ['left', 'centre', 'right'],
  ['top', 'centre', 'bottom'],
];
