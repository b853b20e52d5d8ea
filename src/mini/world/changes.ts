/** Ten kinds of change to a scene, the scenes they lead to, and near misses. */

import {
  type Attribute,
  attributes,
  type Background,
  backgrounds,
  draw,
  isHeldOut,
  isPossible,
  orderedScene,
  positions,
  type Scene,
  type SceneObject,
  sceneKey,
  shapes,
  shuffled,
} from './scene.ts';

export const changeKinds = [
  ...(['colour', 'shape', 'texture', 'size', 'number', 'position', 'background'] as const),
  ...(['add', 'remove', 'two'] as const),
] as const;
export type ChangeKind = (typeof changeKinds)[number];
export type Aspect = Exclude<ChangeKind, 'two'>;

/** An object, perhaps with unknown attributes. */
export type PartialObject = Pick<SceneObject, 'shape' | 'number'> & Partial<SceneObject>;

/** One difference. Objects are as before it. */
export type Edit =
  | {
      readonly [A in Attribute]: {
        readonly aspect: A;
        readonly object: SceneObject;
        readonly value: SceneObject[A];
        /** The object in the new position, if two change places. */
        readonly other?: SceneObject;
      };
    }[Attribute]
  | { readonly aspect: 'background'; readonly before: Background; readonly value: Background }
  | { readonly aspect: 'add'; readonly object: PartialObject }
  | { readonly aspect: 'remove'; readonly object: SceneObject };

/** A change of a scene: one edit or two. */
export interface Change {
  readonly kind: ChangeKind;
  readonly reference: Scene;
  readonly edits: readonly Edit[];
  /** All scenes that answer it: the reference with exactly these edits. Open attributes may be anything. */
  readonly targets: readonly Scene[];
  readonly isTarget: (scene: Scene) => boolean;
}

/** Draws a change of this kind; undefined if the scene allows none, such as removing its only object. */
export function changeOf(kind: ChangeKind, scene: Scene, random: () => number): Change | undefined {
  const aspects = kind === 'two' ? shuffled(aspectsOfTwo, random).slice(0, 2) : [kind];
  const edits: Edit[] = [];
  let targets: readonly Scene[] = [orderedScene(scene)];
  for (const aspect of aspects) {
    const edit = drawEdit(aspect, scene, random);
    if (edit === undefined) return undefined;
    edits.push(edit);
    targets = targets.flatMap((target) => applyEdit(target, edit));
  }
  if (targets.length === 0) return undefined;
  const keys = new Set(targets.map(sceneKey));
  return { kind, reference: scene, edits, targets, isTarget: (candidate) => keys.has(sceneKey(candidate)) };
}

/** One change of every kind that the scene allows. */
export function changesOf(scene: Scene, random: () => number): Change[] {
  return changeKinds.flatMap((kind) => changeOf(kind, scene, random) ?? []);
}

/** The scenes after an edit: several if it leaves something open, none if it is impossible. */
export function applyEdit(scene: Scene, edit: Edit): Scene[] {
  const { background, objects } = scene;
  let made: Scene[];
  switch (edit.aspect) {
    case 'background':
      made = [{ background: edit.value, objects }];
      break;
    case 'remove':
      made = [{ background, objects: objects.filter(({ shape }) => shape !== edit.object.shape) }];
      break;
    case 'add':
      made = completions(edit.object).map((object) => ({ background, objects: [...objects, object] }));
      break;
    default: {
      const { aspect, object, value } = edit;
      const changed = (one: SceneObject): SceneObject => {
        if (one.shape === object.shape) return { ...one, [aspect]: value };
        return aspect === 'position' && one.position === value ? { ...one, position: object.position } : one;
      };
      made = [{ background, objects: objects.map(changed) }];
    }
  }
  return made.filter(isPossible).map(orderedScene);
}

/** A scene that is not held out and that an edit of this aspect turns into the target; undefined if there is none. */
export function editInto(
  aspect: Aspect,
  target: Scene,
  random: () => number,
): { readonly source: Scene; readonly edit: Edit } | undefined {
  const source = sourceOf(aspect, target, random);
  if (source === undefined || isHeldOut(source.source)) return undefined;
  return source;
}

/** The one or two edits that turn a scene into another; undefined if it takes more, or others. */
export function editsBetween(source: Scene, target: Scene): readonly Edit[] | undefined {
  const edits: Edit[] = [];
  const lacks = ({ objects }: Scene, { shape }: SceneObject) => objects.every((one) => one.shape !== shape);
  const [gone, ...othersGone] = source.objects.filter((object) => lacks(target, object));
  const [come, ...othersCome] = target.objects.filter((object) => lacks(source, object));
  if (othersGone.length + othersCome.length > 0) return undefined;
  if (gone && come) edits.push({ aspect: 'shape', object: gone, value: come.shape });
  else if (gone) edits.push({ aspect: 'remove', object: gone });
  else if (come) edits.push({ aspect: 'add', object: come });
  for (const object of source.objects) {
    const now = target.objects.find(({ shape }) => shape === object.shape);
    for (const aspect of attributeNames) {
      const isMoved = edits.some((edit) => 'other' in edit && edit.other === object);
      if (!now || now[aspect] === object[aspect] || (aspect === 'position' && isMoved)) continue;
      const value = now[aspect];
      edits.push({ aspect, object, value, ...swapped(aspect, value, source.objects) } as Edit);
    }
  }
  if (source.background !== target.background) {
    edits.push({ aspect: 'background', before: source.background, value: target.background });
  }
  const made = edits.reduce((scenes, edit) => scenes.flatMap((scene) => applyEdit(scene, edit)), [source]);
  const isMade = made.length === 1 && sceneKey(made[0]!) === sceneKey(target);
  return isMade && edits.length > 0 && edits.length <= 2 ? edits : undefined;
}

/** Possible scenes that differ from this one in one attribute of one object, or in the background. */
export function neighboursOf(scene: Scene): Scene[] {
  const { background, objects } = scene;
  const elsewhere = backgrounds
    .filter((other) => other !== background)
    .map((other) => ({ background: other, objects }));
  const changed = objects.flatMap((object, at) =>
    attributeNames.flatMap((attribute) =>
      attributes[attribute]
        .filter((value) => value !== object[attribute])
        .map((value) => ({ background, objects: objects.with(at, { ...object, [attribute]: value }) })),
    ),
  );
  return [...elsewhere, ...changed].filter(isPossible).map(orderedScene);
}

const attributeNames = Object.keys(attributes) as Attribute[];
/** Aspects whose edits work in any order. Adding and removing change the set of objects. */
const aspectsOfTwo: readonly Aspect[] = ['colour', 'texture', 'size', 'number', 'position', 'background'];

function drawEdit(aspect: Aspect, scene: Scene, random: () => number): Edit | undefined {
  const { background, objects } = scene;
  const edits: Edit[] = [];
  switch (aspect) {
    case 'background':
      for (const value of backgrounds) {
        if (value !== background) edits.push({ aspect, before: background, value });
      }
      break;
    case 'remove':
      if (objects.length > 1) for (const object of objects) edits.push({ aspect, object });
      break;
    case 'add': {
      const object = drawAddition(scene, random);
      if (object !== undefined) edits.push({ aspect, object: partly(object, random) });
      break;
    }
    default: {
      const object = draw(objects, random);
      for (const value of attributes[aspect]) {
        const edit = { aspect, object, value, ...swapped(aspect, value, objects) } as Edit;
        if (value !== object[aspect] && applyEdit(scene, edit).length > 0) edits.push(edit);
      }
    }
  }
  return edits.length === 0 ? undefined : draw(edits, random);
}

function sourceOf(
  aspect: Aspect,
  target: Scene,
  random: () => number,
): { source: Scene; edit: Edit } | undefined {
  const { background, objects } = target;
  if (aspect === 'add') {
    if (objects.length < 2) return undefined;
    const object = draw(objects, random);
    return {
      source: { background, objects: objects.filter((one) => one !== object) },
      edit: { aspect, object },
    };
  }
  if (aspect === 'remove') {
    const object = drawAddition(target, random);
    if (object === undefined) return undefined;
    return { source: orderedScene({ background, objects: [...objects, object] }), edit: { aspect, object } };
  }
  const back = drawEdit(aspect, target, random);
  const source = back && applyEdit(target, back)[0];
  if (back === undefined || source === undefined) return undefined;
  if (back.aspect === 'background') {
    return { source, edit: { aspect: 'background', before: back.value, value: background } };
  }
  const before = (back as Extract<Edit, { aspect: Attribute }>).object;
  const changed = source.objects.find(
    ({ shape, position }) =>
      (aspect === 'shape' || shape === before.shape) &&
      (aspect === 'position' || position === before.position),
  )!;
  const value = before[aspect as Attribute];
  return {
    source,
    edit: { aspect, object: changed, value, ...swapped(aspect, value, source.objects) } as Edit,
  };
}

/** The object in this place, with which a moving object swaps, if any. */
function swapped(aspect: Aspect, value: unknown, objects: readonly SceneObject[]): { other?: SceneObject } {
  const other = aspect === 'position' ? objects.find(({ position }) => position === value) : undefined;
  return other === undefined ? {} : { other };
}

/** A new object that fits beside the others. */
function drawAddition({ background, objects }: Scene, random: () => number): SceneObject | undefined {
  const object = {
    shape: draw(shapes, random),
    colour: draw(attributes.colour, random),
    texture: draw(attributes.texture, random),
    size: draw(attributes.size, random),
    number: draw(attributes.number, random),
  };
  return shuffled(shapes, random)
    .flatMap((shape) => shuffled(positions, random).map((position) => ({ ...object, shape, position })))
    .find((candidate) => isPossible({ background, objects: [...objects, candidate] }));
}

/** Leaves one to three attributes open. */
function partly(object: SceneObject, random: () => number): PartialObject {
  const left = draw(openAttributes, random);
  return Object.fromEntries(
    Object.entries(object).filter(([attribute]) => !left.includes(attribute as Attribute)),
  ) as unknown as PartialObject;
}

const openAttributes: readonly (readonly Attribute[])[] = [
  ['texture'],
  ['texture', 'position'],
  ['texture', 'size'],
  ['texture', 'size', 'position'],
  ['size', 'position'],
];

function completions(object: PartialObject): SceneObject[] {
  return attributeNames.reduce<PartialObject[]>(
    (partials, attribute) =>
      partials.flatMap((partial) =>
        partial[attribute] !== undefined
          ? [partial]
          : attributes[attribute].map((value) => ({ ...partial, [attribute]: value })),
      ),
    [object],
  ) as SceneObject[];
}
