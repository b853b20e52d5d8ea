/** Explains what a shell does to `$1` in double quotes, when it has happened. */

import { namesImages } from '../../composition/index.ts';
import { LincirError, quoted } from '../../core/index.ts';

const advice = 'in single quotes: in double ones, a shell takes $1 for one of its variables, and empties it';
const example = 'the dog of $1 on the beach of $2';

/** Traces of an emptied `$1`: two spaces, or spaces at an end. */
const gap = /^\s+|\s\s+|\s+$/g;

/**
 * Whether a text for one image looks as if a shell has emptied a `$1` in it.
 * @throws LincirError 'bad-argument' for a text that is empty, or does not name several images
 */
export function looksEmptied(text: string, pictures: number): boolean {
  const refuse = (expected: string, found: string, todo: string) =>
    new LincirError('bad-argument', { subject: `--text ${quoted(text)}`, expected, found, todo });
  if (text.trim() === '') throw refuse('words', 'none', `leave it out, or write it ${advice}`);
  const hasGap = text.search(gap) >= 0;
  if (pictures < 2) return hasGap;
  const names = Array.from({ length: pictures }, (_, at) => `$${at + 1}`);
  const lacking = namesImages(text, pictures) ? names.find((name) => !text.includes(name)) : '$1';
  if (lacking === undefined || (lacking !== '$1' && !hasGap)) return false;
  const expected = `the images' names, $1 to $${pictures}`;
  throw refuse(
    expected,
    `no ${lacking}`,
    `say which is which ${advice}: --text '${repaired(text, pictures)}'`,
  );
}

/** The text with the names of images put back where a shell has emptied them, or else an example. */
function repaired(text: string, pictures: number): string {
  const words = text.split(gap);
  if (words.length - 1 !== pictures || text.includes("'")) return example;
  const named = words.map((part, at) => (at === 0 ? part : ` $${at} ${part}`));
  return named.join('').trim();
}
