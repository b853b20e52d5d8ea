/** Prompts: words in which `$`, or `$1`, `$2`, …, stand for pictures. */

import type { ClipTokenizer } from '../clip/index.ts';
import { LincirError, quoted } from '../core/index.ts';

/** A prompt as tokens, and which picture each placeholder stands for. */
export interface ComposedPrompt {
  /** As a person reads it, such as `a photo of $ that is red`. */
  readonly text: string;
  readonly ids: readonly number[];
  /** Positions among `ids`, and the number, from 0, of the picture whose word goes there. */
  readonly places: readonly { readonly position: number; readonly picture: number }[];
}

/** What the method's authors ask with (LinCIR, section 4), around a text that names no picture itself. */
export const defaultPrompt = (text: string): string =>
  text.trim() === '' ? 'a photo of $' : `a photo of $ that ${text.trim()}`;

export function namesPictures(text: string): boolean {
  return text.includes('$');
}

/**
 * The prompt that a text means for so many pictures. A text with `$` is the prompt itself; `$1`, `$2`, … name several
 * pictures, each of which it must name.
 * @throws LincirError 'bad-argument' for pictures that are not there, not named or named ambiguously, and for a text
 *   that is too long for the model
 */
export function composePrompt(text: string, pictures: number, tokenizer: ClipTokenizer): ComposedPrompt {
  const refuse = (expected: string, found: string, todo: string) =>
    new LincirError('bad-argument', { subject: `the text ${quoted(text)}`, expected, found, todo });
  if (pictures > 1 && !namesPictures(text)) {
    const found = 'no $1';
    throw refuse(
      `the pictures' names, $1 to $${pictures}`,
      found,
      'say which is which: "the dog of $1 on the beach of $2"',
    );
  }
  const prompt = namesPictures(text) ? text : defaultPrompt(text);
  const named: number[] = [];
  // Spaces make the placeholder a word of its own, as it is in training: `$,` would be another token.
  const spaced = prompt.replaceAll(/\$(\d*)/g, (name, digits: string) => {
    if (digits === '' && pictures > 1) {
      throw refuse(`one of $1 to $${pictures}`, '$', 'say which picture is meant');
    }
    const number = digits === '' ? 1 : Number(digits);
    if (number < 1 || number > pictures) {
      const there =
        pictures === 0 ? 'no picture' : pictures === 1 ? '$ for the one picture' : `$1 to $${pictures}`;
      throw refuse(there, name, 'give as many pictures as the text names');
    }
    named.push(number - 1);
    return ' $ ';
  });
  const left = Array.from({ length: pictures }, (_, picture) => picture).find(
    (picture) => !named.includes(picture),
  );
  if (left !== undefined) {
    throw refuse('every picture in it', `no $${left + 1}`, 'name it, or leave the picture out');
  }
  const placeholder = tokenizer.idOf('$');
  if (placeholder === undefined) {
    throw new LincirError('bad-config', {
      subject: "the model's tokenizer",
      expected: 'a token for the word $',
      found: 'none',
      todo: 'use a CLIP model',
    });
  }
  const { ids, truncated } = tokenizer.encode(spaced.replaceAll(/\s+/g, ' ').trim());
  if (truncated) throw refuse(`at most ${tokenizer.maximum} tokens`, 'more', 'shorten it');
  const positions = ids.flatMap((id, position) => (id === placeholder ? [position] : []));
  const places = positions.map((position, at) => ({ position, picture: named[at]! }));
  return { text: prompt, ids, places };
}
