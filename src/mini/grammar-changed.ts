/** Captions that name one thing and then change it, meaning what comes of it: `a red circle, but in blue`. */

import { type Aspect, type Edit, editInto, editsBetween } from './changes.ts';
import {
  clausesOfNamed,
  clausesOfOne,
  clausesOfPicture,
  leadsOfOne,
  leadsOfPicture,
} from './grammar-clauses.ts';
import { title } from './grammar-frames.ts';
import { beginsWithPosition, isTitle, objectPhrase, objectsPhrase } from './grammar-objects.ts';
import { clausesOfRelation, isSwap, relationOf, tailsOfRelation } from './grammar-relations.ts';
import {
  changedOpenings,
  parts,
  partsOfSwap,
  tailsOfNamed,
  tailsOfOne,
  tailsOfScene,
  tailsOfTwo,
} from './grammar-tails.ts';
import {
  differenceSlots,
  fill,
  formerSlots,
  objectSlots,
  otherSlots,
  placeSlots,
  type Slots,
  tidy,
} from './grammar-words.ts';
import { nameOf } from './names.ts';
import { type Attribute, draw, type Scene, type SceneObject, shuffled } from './scene.ts';

/** A scene, and the one or two edits that make another one of it. */
interface Way {
  readonly source: Scene;
  readonly edits: readonly Edit[];
}

/** The share of changes that are said in clauses. */
const clauseShare = 0.5;
/** Of captions that change another scene, the share that change the twin, as far as there is one. */
const twinShare = 0.7;
/** The share of changes of known scenes that call them by their names. */
const namedShare = 0.8;

/**
 * A caption that means the scene by way of another one, which is not held out: its twin, if there is one, or any that
 * is near; undefined where the draw led to none.
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

/** A caption that is just a scene's name. */
export function namedCaption(scene: Scene, random: () => number): string {
  return tidy(fill(draw(changedOpenings, random), { scene: () => nameOf(scene), change: () => '' }));
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
  const said = (edit: Edit, wordings: readonly string[], other?: SceneObject) =>
    fill(draw(wordings, random), editSlots(edit, complete, random, other));
  const asClause = random() < clauseShare;
  if (edits.length === 1) {
    const edit = edits[0]!;
    const relation = relationOf(edit, source, random);
    const isOfOne = !relation && !isWhole(edit) && source.objects.length === 1;
    if (!asClause) {
      return relation
        ? said(edit, tailsOfRelation[relation.kind], relation.other)
        : said(edit, tailsFor(edit, source));
    }
    const lead = fill(draw(isOfOne ? leadsOfOne : leadsOfPicture, random), editSlots(edit, complete, random));
    const clause = relation
      ? said(edit, clausesOfRelation[relation.kind], relation.other)
      : said(edit, clausesFor(edit, source));
    return `${lead} ${clause}`;
  }
  if (asClause) {
    const plain = (clause: string) => !/same|where|longer|before/.test(clause);
    const clauses = edits.map((edit) =>
      isSwap(edit)
        ? said(edit, clausesOfRelation.swap, edit.other)
        : said(edit, clausesFor(edit, source).filter(plain)),
    );
    return `${draw(leadsOfPicture, random)} ${clauses.join(' and ')}`;
  }
  const [one, other] = edits.map((edit) =>
    isSwap(edit) ? said(edit, partsOfSwap, edit.other) : said(edit, parts[edit.aspect]),
  );
  return fill(draw(tailsOfTwo, random), { one: () => one!, other: () => other! });
}

/** Words for an edit: what is new, what was before, and what is added. */
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
        match: () => draw(matches[aspect], random),
      };
    }
  }
}

/** A scene's objects and, as a rule, where they are. */
function placed({ background, objects }: Scene, complete: boolean, random: () => number): string {
  const named = objectsPhrase(objects, complete ? 'complete' : 'any', random, isNoun);
  return complete || random() < 0.5 ? `${named} ${placeSlots(background, random).place!()}` : named;
}

const isNoun = (form: string) => !beginsWithPosition(form) && !isTitle(form);

function tailsFor(edit: Edit, source: Scene): readonly string[] {
  if (isWhole(edit)) return tailsOfScene[edit.aspect];
  return (source.objects.length === 1 ? tailsOfOne : tailsOfNamed)[edit.aspect];
}

function clausesFor(edit: Edit, source: Scene): readonly string[] {
  if (isWhole(edit)) return clausesOfPicture[edit.aspect];
  return (source.objects.length === 1 ? clausesOfOne : clausesOfNamed)[edit.aspect];
}

function isWhole(edit: Edit): edit is Extract<Edit, { aspect: 'background' | 'add' | 'remove' }> {
  return edit.aspect === 'background' || edit.aspect === 'add' || edit.aspect === 'remove';
}

/** How one thing is said to be as another is. */
const matches: Readonly<Record<Attribute, readonly string[]>> = {
  shape: [],
  position: [],
  colour: ['in the colour of', 'of the same colour as'],
  texture: ['with the pattern of', 'of the same pattern as'],
  size: ['in the size of', 'of the same size as'],
  number: ['as many as', 'of the same number as'],
};

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
