/** Finds a tokenizer's added tokens in a text, such as its end of text, before the words are split. */

import { LincirError } from '../../core/index.ts';
import { whiteSpace } from './characters.ts';

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Only between words. */
  readonly single_word: boolean;
  /** Takes white space before or after it along. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Is looked for in the normalized text. */
  readonly normalized: boolean;
}

/** What stands between added tokens, and their ids. */
export type Section = { readonly text: string } | { readonly id: number };

/** Characters of a word in Rust's patterns. */
export const wordEnd = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
export const wordStart = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** Each takes a few hundred bytes. Gemma's 6,400 added tokens have 80,000. */
const characterLimit = 2 ** 18;

const isSpace = new RegExp(whiteSpace, 'u');

interface Node {
  readonly next: Map<string, Node>;
  token?: AddedToken;
}

/**
 * Makes a function that cuts a text at the longest added token at each place, from left to right.
 * @throws LincirError 'bad-file' naming `subject` for tokens that would fill the memory
 */
export function addedTokenFinder(
  tokens: readonly AddedToken[],
  subject: string,
): (text: string) => readonly Section[] {
  if (tokens.length === 0) return (text) => [{ text }];
  const characters = tokens.reduce((sum, { content }) => sum + content.length, 0);
  if (characters > characterLimit) {
    const expected = `added tokens of ${characterLimit} characters in all, at most`;
    throw new LincirError('bad-file', { subject, expected, found: `${characters}` });
  }
  const root: Node = { next: new Map() };
  for (const token of tokens) {
    let node = root;
    for (const unit of token.content.split('')) {
      const child = node.next.get(unit) ?? { next: new Map() };
      node.next.set(unit, child);
      node = child;
    }
    if (node !== root) node.token = token;
  }
  return (text) => {
    const sections: Section[] = [];
    let begin = 0; // of the text that is not yet in a section
    const add = (end: number) => {
      if (begin < end) sections.push({ text: text.slice(begin, end) });
    };
    for (let at = 0; at < text.length; ) {
      const token = longestAt(root, text, at);
      if (!token) {
        at += 1;
        continue;
      }
      let [start, end] = [at, at + token.content.length];
      at = end;
      if (
        token.single_word &&
        (wordEnd.test(text.slice(Math.max(0, start - 2), start)) || wordStart.test(text.slice(end, end + 2)))
      ) {
        continue;
      }
      if (token.lstrip) while (start > begin && isSpace.test(text[start - 1]!)) start -= 1;
      if (token.rstrip) while (end < text.length && isSpace.test(text[end]!)) end += 1;
      add(start);
      sections.push({ id: token.id });
      begin = end;
    }
    add(text.length);
    return sections;
  };
}

function longestAt(root: Node, text: string, begin: number): AddedToken | undefined {
  let found: AddedToken | undefined;
  let node: Node | undefined = root;
  for (let at = begin; at < text.length; at += 1) {
    node = node.next.get(text[at]!);
    if (!node) break;
    found = node.token ?? found;
  }
  return found;
}
