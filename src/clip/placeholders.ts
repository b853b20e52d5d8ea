/** Puts placeholders between the parts of a text. */

import type { TextTokenizer } from './tokenizer.ts';

/** A text with places for pseudo tokens. */
interface TextWithPlaces {
  /** With start and end of text. */
  readonly ids: readonly number[];
  /** Positions of the placeholders in `ids`. */
  readonly places: readonly number[];
}

/**
 * The rule for texts with placeholders, in training as in queries: a text is cut at its placeholders, each part is encoded
 * alone, and the placeholder's id stands between them. So a placeholder is a word of its own in every tokenizer, and a
 * dollar sign in the words is none.
 * @param parts what stands before, between and after the placeholders
 * @param encodePart as the tokenizer's
 * @returns a text that may be longer than the tokenizer's maximum
 */
export function joinParts(
  { startOfText, endOfText, placeholder }: TextTokenizer,
  parts: readonly string[],
  encodePart: (text: string) => readonly number[],
): TextWithPlaces {
  const ids = startOfText === undefined ? [] : [startOfText];
  const places: number[] = [];
  for (const [at, part] of parts.entries()) {
    if (at > 0) {
      places.push(ids.length);
      ids.push(placeholder.id);
    }
    // A space before a placeholder belongs to it. The one after it may be part of the next word's token.
    ids.push(...encodePart(part.endsWith(' ') ? part.slice(0, -1) : part));
  }
  ids.push(endOfText);
  return { ids, places };
}
