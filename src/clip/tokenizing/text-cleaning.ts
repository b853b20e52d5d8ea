/** What families do to texts before they tokenize them, as Python's methods of texts do it. */

/** Those of Python's `str.split`. */
const spaces = /[\p{White_Space}\x1c-\x1f]+/gu;
const punctuation = /[!-/:-@[-`{-~]/g;

/** A text's words with single spaces between them. */
export function wordsJoined(text: string): string {
  return text.replaceAll(spaces, ' ').replace(/^ /, '').replace(/ $/, '');
}

/** Removes ASCII's punctuation. */
export function withoutPunctuation(text: string): string {
  return text.replaceAll(punctuation, '');
}
