/** Frames of captions: the words around the objects and the place. */

import { draw, type Scene, shuffled } from '../world/scene.ts';
import { beginsWithPosition, isTitle, objectsPhrase } from './objects.ts';
import { fill, placeSlots } from './words.ts';

/** Captions with the place. `{be}` agrees with the first object, `{are}` with all of them. */
export const placedFrames: readonly string[] = [
  'a photo of {objects} {place}',
  'a picture of {objects} {place}',
  'an image of {objects} {place}',
  'a drawing of {objects} {place}',
  'a photo of {objects} in front of {ground}',
  'a photo of {objects} with {ground} behind',
  'a photo of {objects} against {ground}',
  'a photo of {objects} on a {scenery} background',
  '{objects} {place}',
  '{objects} in front of {ground}',
  '{objects} against {ground}',
  '{objects}, {scenery} background',
  '{objects}, {place}',
  '{objects} with {ground} in the background',
  '{place}, {objects}',
  '{place} there {be} {objects}',
  'there {be} {objects} {place}',
  'there {be} {objects} in front of {ground}',
  'picture showing {objects} {place}',
  'picture showing {objects}, with {ground} behind',
  'a picture that shows {objects} {place}',
  'this picture shows {objects} {place}',
  'we see {objects} {place}',
  'you can see {objects} {place}',
  '{objects} can be seen {place}',
  '{objects} {are} {place}',
  'a {scenery} scene with {objects}',
  'a {scenery} picture with {objects}',
  '{scenery} scene: {objects}',
  'view of {ground} with {objects}',
  '{ground} behind {objects}',
  '{ground}, and {objects} in front of it',
  'simple illustration of {objects} {place}',
  'illustration, {objects}, {scenery} background, flat design',
  '{objects}, {place}, clip art',
  '{objects} {place}, flat design, clean lines',
  '{scenery} background with {objects}, flat vector art',
  'a pretty little picture: {objects} {place}',
  'a close look at {objects} {place}',
  'here {be} {objects} {place}',
  'just {objects} {place}',
  'snapshot of {objects} {place}',
  'a card with {objects} in front of {ground}',
];

/** Captions without the place. */
export const plainFrames: readonly string[] = [
  'a photo of {objects}',
  'a picture of {objects}',
  'an image of {objects}',
  'a drawing of {objects}',
  '{objects}',
  'there {be} {objects}',
  'picture showing {objects}',
  'this picture shows {objects}',
  'we see {objects}',
  '{objects}, simple illustration',
  '{objects}, flat design',
  'a pretty picture of {objects}',
  'see: {objects}',
  'a picture with {objects} in it',
  'a picture that has {objects}',
];

/** Titles like those of images on the web: nearly all of their words are nouns and adjectives. */
export const titleFrames: readonly string[] = [
  '{scenery} scene {objects}',
  '{scenery} picture {objects}',
  '{scenery} background {objects}',
  '{objects} {scenery} background',
  '{objects} {scenery} wallpaper',
  '{objects} {scenery} illustration',
  '{objects}, {scenery}',
];

/** Words before a title, and after it. */
export const titleLeads: readonly string[] = [
  'this is',
  'here we have',
  'it shows',
  'we see',
  'look at',
  'you can see',
  'they drew',
  'she painted',
  'i like',
  'we once saw',
  'imagine',
];
export const titleTails: readonly string[] = [
  'as you can see',
  'for you to see',
  'to look at',
  'which we like',
  'that you can see here',
  'that they drew for us',
  'that was painted by her',
  'that hangs here',
];

/** Captions of only the place. */
export const emptyFrames: readonly string[] = [
  'a photo taken {place}',
  'a picture of {ground}',
  'something {place}',
  'a {scenery} scene',
];

/** The part of captions that are titles. */
const titleShare = 0.35;

/** A title of the scene; undefined as often as captions are sentences. */
export function title(scene: Scene, complete: boolean, random: () => number): string | undefined {
  if (random() >= titleShare) return undefined;
  const { background, objects } = scene;
  const phrase = objectsPhrase(objects, complete ? 'complete' : 'any', random, isTitle);
  return fill(draw(titleFrames, random), { ...placeSlots(background, random), objects: () => phrase });
}

/** A caption of the scene. */
export function plainCaption(scene: Scene, complete: boolean, random: () => number): string {
  const named = title(scene, complete, random);
  if (named !== undefined) {
    const lead = random() < 0.5 ? draw(titleLeads, random) : '';
    const tail = random() < 0.5 ? draw(titleTails, random) : '';
    return `${lead} ${named} ${tail}`;
  }
  const { background, objects } = scene;
  const place = placeSlots(background, random);
  if (!complete && random() < 0.02) return fill(draw(emptyFrames, random), place);
  const frame = draw(complete || random() < 0.65 ? placedFrames : plainFrames, random);
  const mentioned = complete || random() < 0.8 ? objects : someOf(objects, random);
  const things = mentioned.reduce((sum, { number }) => sum + number, 0);
  const phrase = objectsPhrase(mentioned, complete ? 'complete' : 'any', random, (form) => fits(frame, form));
  return fill(frame, {
    ...place,
    objects: () => phrase,
    be: () => (severalFirst.test(phrase) ? 'are' : 'is'),
    are: () => (things > 1 ? 'are' : 'is'),
  });
}

/** Whether an object form reads well in a frame. */
export function fits(frame: string, form: string): boolean {
  if (isTitle(form)) return false;
  return !beginsWithPosition(form) || /(^|[:,] )\{objects\}/.test(frame);
}

const severalFirst = /^(two|three|twin|triple|a pair|a couple|a trio|a group)\b/;

function someOf(objects: Scene['objects'], random: () => number): Scene['objects'] {
  const left = shuffled(objects, random).slice(0, Math.max(1, objects.length - 1));
  return objects.filter((object) => left.includes(object));
}
