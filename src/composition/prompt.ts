/** Prompts: texts in which `$`, or `$1`, `$2`, …, stand for images. `\$` is a dollar sign. */

import { joinParts, type TextTokenizer } from '../clip/index.ts';
import { LincirError, quoted } from '../core/index.ts';

/** A prompt as tokens, and which image each placeholder stands for. */
interface ComposedPrompt {
  /** As written, such as `a photo of $ that is red`. */
  readonly text: string;
  readonly ids: readonly number[];
  /** Positions in `ids`, and the number, from 0, of the image whose word goes there. */
  readonly places: readonly { readonly position: number; readonly picture: number }[];
}

/** Words, or the place of an image: its name as written, and its number from 1 if it has one. */
type PromptPart = string | { readonly name: string; readonly picture: number | undefined };

/** Beginnings of texts that read well right after `$`: `but at night`, `, pencil sketch`, `wearing a hat`. */
const joining = new RegExp(
  `^(?:[,;:(–—]|(?:${[
    'and but or yet not that which who whose where when while as like except instead with without',
    'about above across after against along amid among around at before behind below beneath beside between by despite',
    'for from in inside into near next of off on onto outside over past through to toward towards under upon',
    'covered drawn dressed filled made painted seen surrounded taken',
    '[a-z]*[aeiouy][a-z]*ing', // `wearing`, but not `ring`
  ]
    .join(' ')
    .replaceAll(' ', '|')})\\b)`,
  'i',
);

/** Beginnings of texts that name a thing to add: `a hat`, `two dogs`. */
const thing = /^(?:an?|another|some|more|fewer|no|two|three|four|five)\s/i;

/** How prompts begin that users did not write out. */
export const promptBeginning = 'a photo of';

/** The prompt of the method's authors (LinCIR, section 4), around a text that names no image itself. */
export function defaultPrompt(text: string): string {
  const words = text.trim();
  if (words === '') return `${promptBeginning} $`;
  if (thing.test(words)) return `${promptBeginning} $ with ${words}`;
  if (!joining.test(words)) return `${promptBeginning} $ that ${words}`;
  return `${promptBeginning} $${/^[,;:]/.test(words) ? '' : ' '}${words}`;
}

/** `\$`, or `$` with the number after it: `$1`, `$1.50`, `$5,000`. */
const dollar = /\\\$|\$(\d+(?:[.,]\d+)*)?/g;

/**
 * Words and places of images in turn, with words first and last. `\$` is a dollar sign. So is `$` before a number that has
 * a fraction, thousands, or more digits than the number of images: `a $100 bill` names an image only if there are 100.
 */
export function promptParts(text: string, pictures: number): PromptPart[] {
  const parts: PromptPart[] = [];
  let words = '';
  let end = 0;
  for (const { 0: name, 1: number = '', index } of text.matchAll(dollar)) {
    words += text.slice(end, index);
    end = index + name.length;
    const isPrice = /[.,]/.test(number) || number.length > `${pictures}`.length;
    if (isPrice || name === '\\$') {
      words += isPrice ? name : '$';
    } else {
      parts.push(words, { name, picture: number === '' ? undefined : Number(number) });
      words = '';
    }
  }
  return [...parts, words + text.slice(end)];
}

export function namesImages(text: string, pictures: number): boolean {
  return promptParts(text, pictures).length > 1;
}

/** A text that names no image, with `\$` replaced by `$`. */
export function plainText(text: string, pictures: number): string {
  return promptParts(text, pictures)
    .map((part) => (typeof part === 'string' ? part : part.name))
    .join('');
}

/** Escapes a text, so that it is a prompt with exactly these words. */
export function withoutPlaces(text: string): string {
  return text.replaceAll('$', '\\$');
}

/**
 * The prompt that a text means for so many images. A text with `$` is the whole prompt. `$1`, `$2`, … name several
 * images, and it must name each.
 * @throws LincirError 'bad-argument' for images that do not exist, are not named or are named ambiguously, and for a text
 *   that is too long for the model
 */
export function composePrompt(text: string, pictures: number, tokenizer: TextTokenizer): ComposedPrompt {
  const refuse = (expected: string, found: string, todo: string) =>
    new LincirError('bad-argument', { subject: `the text ${quoted(text)}`, expected, found, todo });
  const isPrompt = namesImages(text, pictures);
  if (pictures > 1 && !isPrompt) {
    const example = 'say which is which: "the dog of $1 on the beach of $2"';
    throw refuse(`the images' names, $1 to $${pictures}`, 'no $1', example);
  }
  const prompt = isPrompt ? text : defaultPrompt(text);
  const words: string[] = [];
  const pictureOf: number[] = []; // of each place
  for (const part of promptParts(prompt, pictures)) {
    if (typeof part === 'string') words.push(part);
    else {
      const { name, picture = 1 } = part;
      if (name === '$' && pictures > 1) {
        throw refuse(`one of $1 to $${pictures}`, '$', 'say which image is meant');
      }
      if (picture < 1 || picture > pictures) {
        const there =
          pictures === 0 ? 'no image' : pictures === 1 ? '$ for the one image' : `$1 to $${pictures}`;
        throw refuse(
          there,
          name,
          `give as many images as the text names, or write \\${name} for a dollar sign`,
        );
      }
      pictureOf.push(picture - 1);
    }
  }
  const named = new Set(pictureOf);
  const left = Array.from({ length: pictures }, (_, picture) => picture).find(
    (picture) => !named.has(picture),
  );
  if (left !== undefined) {
    throw refuse('every image in it', `no $${left + 1}`, 'name it, or leave the image out');
  }
  const { ids, places } = joinParts(tokenizer, words, tokenizer.encodePart);
  if (ids.length > tokenizer.maximum) {
    throw refuse(`at most ${tokenizer.maximum} tokens`, 'more', 'shorten it');
  }
  return { text: prompt, ids, places: places.map((position, at) => ({ position, picture: pictureOf[at]! })) };
}
