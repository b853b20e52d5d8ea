/** Changes that refer to the scene, and mean nothing without it. */

import type { Aspect, Edit } from '../world/changes.ts';
import type { Position, Scene, SceneObject } from '../world/scene.ts';

export const relations = ['swap', 'opposite', 'alike', 'only'] as const;
/** Two objects change places; one goes to the other side; one becomes like another; only one stays. */
export type Relation = (typeof relations)[number];

/** A relation, and its second object, if any. */
export interface Related {
  readonly kind: Relation;
  readonly other?: SceneObject;
}

type Wordings = Readonly<Record<Relation, readonly string[]>>;

/** As ends of captions. `{other}` is the second object. */
export const tailsOfRelation: Wordings = {
  swap: [
    ', the {shape} and the {other} swapped',
    ', but the {shape} where the {other} {otherwas}',
    ' with the {shape} and the {other} the other way round',
    ', the {shape} in the place of the {other} and the other way round',
    ", the {shape} and the {other} in each other's place",
  ],
  opposite: [
    ', but the {shape} on the opposite side',
    ', the {shape} on the other side',
    ' with the {shape} moved across',
    ', only that the {shape} {is} on the other side',
    ' that now has the {shape} on the opposite side',
    ', the {shape} on the other side instead',
  ],
  alike: [
    ', but with the {shape} {match} the {other}',
    ', the {shape} now {match} the {other}',
    ', only that the {shape} {is} {match} the {other}',
    ' that now has the {shape} {match} the {other}',
    ' with the {shape} made {match} the {other}',
  ],
  only: [
    ', but only the {other}',
    ', just the {other}',
    ' with only the {other} kept',
    ' that now has only the {other}',
    ', now just the {other}',
    ', only that the {other} {otheris} alone',
  ],
};

/** As clauses. */
export const clausesOfRelation: Wordings = {
  swap: [
    'has swapped the {shape} and the {other}',
    'comes with the {shape} where the {other} {otherwas}',
    'has put the {shape} in the place of the {other} and the other way round',
    'has its {shape} and its {other} swapped',
    "shows the {shape} and the {other} in each other's place",
  ],
  opposite: [
    'comes with the {shape} on the other side',
    'has put the {shape} on the opposite side',
    'has moved the {shape} across',
    'is otherwise the same but has the {shape} on the opposite side',
  ],
  alike: [
    'comes with the {shape} {match} the {other}',
    'has its {shape} {match} the {other}',
    'has made the {shape} {match} the {other}',
    'is otherwise the same but has the {shape} {match} the {other}',
  ],
  only: [
    'comes with just the {other}',
    'contains only the {other}',
    'has kept only the {other}',
    'leaves just the {other}',
    'is otherwise the same but has just the {other}',
  ],
};

/** As in queries, after `that`. */
export const queriesOfRelation: Wordings = {
  swap: [
    'has the {shape} and the {other} swapped',
    'has the {shape} where the {other} {otherwas}',
    'shows the {shape} and the {other} the other way round',
    'is the same but with the {shape} and the {other} swapped',
    'has the {shape} in the place of the {other}',
  ],
  opposite: [
    'has the {shape} on the other side',
    'shows the {shape} on the opposite side',
    'has the {shape} moved across',
    'is the same but with the {shape} on the other side',
  ],
  alike: [
    'has the {shape} {match} the {other}',
    'shows the {shape} {match} the {other}',
    'is the same but with the {shape} {match} the {other}',
  ],
  only: [
    'has only the {other}',
    'shows just the {other}',
    'shows only the {other}',
    'is the same but with just the {other}',
  ],
};

/** A swap, as a part of a sentence. */
export const partsOfSwap: readonly string[] = ['the {shape} and the {other} swapped'];

/** Words for one thing being like another: `{match}`. */
export const likenesses: Readonly<Partial<Record<Aspect, readonly string[]>>> = {
  colour: ['in the colour of', 'of the same colour as'],
  texture: ['with the pattern of', 'of the same pattern as'],
  size: ['in the size of', 'of the same size as'],
  number: ['as many as', 'of the same number as'],
};

/** How often a change is worded as a relation, if it can be. A swap always is. */
const relativeShare = 0.5;

const opposites: Readonly<Partial<Record<Position, Position>>> = {
  left: 'right',
  right: 'left',
  top: 'bottom',
  bottom: 'top',
};

/** The relation that words an edit; undefined if it is worded directly. */
export function relationOf(edit: Edit, { objects }: Scene, random: () => number): Related | undefined {
  const swap = swapOf(edit);
  if (swap) return swap;
  if (random() >= relativeShare) return undefined;
  switch (edit.aspect) {
    case 'remove': {
      const [other, ...more] = objects.filter(({ shape }) => shape !== edit.object.shape);
      return other && more.length === 0 ? { kind: 'only', other } : undefined;
    }
    case 'position':
      return opposites[edit.object.position] === edit.value ? { kind: 'opposite' } : undefined;
    case 'colour':
    case 'texture':
    case 'size':
    case 'number': {
      const { aspect, object, value } = edit;
      const other = objects.find((one) => one.shape !== object.shape && one[aspect] === value);
      return other && value !== 1 ? { kind: 'alike', other } : undefined;
    }
    default:
      return undefined;
  }
}

/** The relation of a swap; undefined for any other edit. */
export function swapOf(edit: Edit): Related | undefined {
  return 'other' in edit ? { kind: 'swap', other: edit.other } : undefined;
}
