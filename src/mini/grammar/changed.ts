/** Captions that name one thing and then change it, and mean the result: `a red circle, but in blue`. */

import { type Aspect, type Edit, editInto, editsBetween } from '../world/changes.ts';
import { nameOf } from '../world/names.ts';
import { draw, type Scene, type SceneObject, shuffled } from '../world/scene.ts';
import { clausesOfImage, clausesOfNamed, clausesOfOne, leadsOfImage, leadsOfOne } from './clauses.ts';
import { title } from './frames.ts';
import { beginsWithPosition, isTitle, objectPhrase, objectsPhrase } from './objects.ts';
import {
  clausesOfRelation,
  likenesses,
  partsOfSwap,
  type Related,
  relationOf,
  swapOf,
  tailsOfRelation,
} from './relations.ts';
import { changedOpenings, parts, tailsOfNamed, tailsOfOne, tailsOfScene, tailsOfTwo } from './tails.ts';
import {
  differenceSlots,
  fill,
  formerSlots,
  objectSlots,
  otherSlots,
  placeSlots,
  type Slots,
} from './words.ts';

/** A scene, and one or two edits that turn it into another. */
interface Way {
  readonly source: Scene;
  readonly edits: readonly Edit[];
}

/** The part of changes that are clauses. */
const clauseShare = 0.5;
/** Of captions that change another scene, the part that change the twin, if there is one. */
const twinShare = 0.7;
/** The part of changes to known scenes that use their names. */
const namedShare = 0.8;

/**
 * A caption that describes the scene as a change of another one, which is not held out: its twin, if there is one, or any
 * near scene. Undefined if the draw gave none.
 */
export function changedCaption(
  scene: Scene,
  complete: boolean,
  random: () => number,
  twin?: Scene,
  isKnown: (scene: Scene) => boolean = () => false,
): string | undefined {
  const fromTwin = twin !== undefined && random() < twinShare ? wayBetween(twin, scene) : undefined;
  const way = fromTwin ?? drawnWay(scene, random);
  if (way === undefined) return undefined;
  const named = isKnown(way.source) && random() < namedShare ? nameOf(way.source) : undefined;
  const said = named ?? title(way.source, complete, random) ?? placed(way.source, complete, random);
  const change = changeWords(way, complete, random);
  return fill(draw(changedOpenings, random), { scene: () => said, change: () => change });
}

/** A caption that is only a scene's name. */
export function namedCaption(scene: Scene, random: () => number): string {
  return fill(draw(changedOpenings, random), { scene: () => nameOf(scene), change: () => '' });
}

function drawnWay(scene: Scene, random: () => number): Way | undefined {
  const twice = random() < 0.15;
  const [first, second] = shuffled(twice ? steady : aspects, random);
  const last = editInto(first!, scene, random);
  if (last === undefined || !twice) return last && { source: last.source, edits: [last.edit] };
  const earlier = editInto(second!, last.source, random);
  return earlier && { source: earlier.source, edits: [earlier.edit, last.edit] };
}

function wayBetween(source: Scene, target: Scene): Way | undefined {
  const edits = editsBetween(source, target);
  const isSayable = edits?.length === 1 || edits?.every(({ aspect }) => steady.includes(aspect));
  return edits && isSayable ? { source, edits } : undefined;
}

function changeWords({ source, edits }: Way, complete: boolean, random: () => number): string {
  const said = (edit: Edit, wordings: readonly string[], related?: Related) =>
    fill(draw(wordings, random), editSlots(edit, complete, random, related?.other));
  const asClause = random() < clauseShare;
  if (edits.length === 1) {
    const edit = edits[0]!;
    const related = relationOf(edit, source, random);
    if (!asClause) return said(edit, tailsFor(edit, source, related), related);
    const isOfOne = !related && !isWhole(edit) && source.objects.length === 1;
    const lead = said(edit, isOfOne ? leadsOfOne : leadsOfImage);
    return `${lead} ${said(edit, clausesFor(edit, source, related), related)}`;
  }
  if (asClause) {
    const isPlain = (clause: string) => !/same|where|longer|before/.test(clause);
    const clauses = edits.map((edit) => {
      const swap = swapOf(edit);
      const wordings = clausesFor(edit, source, swap);
      return said(edit, swap ? wordings : wordings.filter(isPlain), swap);
    });
    return `${draw(leadsOfImage, random)} ${clauses.join(' and ')}`;
  }
  const [one, other] = edits.map((edit) => {
    const swap = swapOf(edit);
    return said(edit, swap ? partsOfSwap : parts[edit.aspect], swap);
  });
  return fill(draw(tailsOfTwo, random), { one: () => one!, other: () => other! });
}

/** Words for an edit: the new value, the old one, and what is added. */
export function editSlots(edit: Edit, complete: boolean, random: () => number, other?: SceneObject): Slots {
  return { ...ownSlots(edit, complete, random), ...(other && otherSlots(other, random)) };
}

function ownSlots(edit: Edit, complete: boolean, random: () => number): Slots {
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
      return {
        ...objectSlots(changed, random),
        ...formerSlots(objectSlots(object, random)),
        ...differenceSlots(object, changed.number, random),
        match: () => draw(likenesses[aspect]!, random),
      };
    }
  }
}

/** A scene's objects and, usually, their place. */
function placed({ background, objects }: Scene, complete: boolean, random: () => number): string {
  const named = objectsPhrase(objects, complete ? 'complete' : 'any', random, isNoun);
  return complete || random() < 0.5 ? `${named} ${placeSlots(background, random).place!()}` : named;
}

const isNoun = (form: string) => !beginsWithPosition(form) && !isTitle(form);

function tailsFor(edit: Edit, source: Scene, related?: Related): readonly string[] {
  if (related) return tailsOfRelation[related.kind];
  if (isWhole(edit)) return tailsOfScene[edit.aspect];
  return (source.objects.length === 1 ? tailsOfOne : tailsOfNamed)[edit.aspect];
}

function clausesFor(edit: Edit, source: Scene, related?: Related): readonly string[] {
  if (related) return clausesOfRelation[related.kind];
  if (isWhole(edit)) return clausesOfImage[edit.aspect];
  return (source.objects.length === 1 ? clausesOfOne : clausesOfNamed)[edit.aspect];
}

function isWhole(edit: Edit): edit is Extract<Edit, { aspect: 'background' | 'add' | 'remove' }> {
  return edit.aspect === 'background' || edit.aspect === 'add' || edit.aspect === 'remove';
}

const aspects: readonly Aspect[] = [
  ...(['colour', 'shape', 'texture', 'size', 'number', 'position', 'background'] as const),
  ...(['add', 'add', 'remove', 'remove'] as const),
];
/** Shapes stay, so that both of two changes can name their objects. */
const steady: readonly Aspect[] = ['colour', 'texture', 'size', 'number', 'position', 'background', 'add'];
