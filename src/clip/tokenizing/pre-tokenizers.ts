/** Pre-tokenizers of a `tokenizer.json`, which split a normalized text into words, as Rust's library `tokenizers` has them. */

import { z } from 'zod';
import { checkedValue } from '../../core/index.ts';
import { bertPunctuation, whiteSpace } from './characters.ts';
import { literal, patternSchema, regexOf } from './patterns.ts';

/** Splits words further. `isFirst`: whether the words begin the text. */
export type PreTokenizer = (words: readonly string[], isFirst: boolean) => string[];

const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
type Behavior = (typeof behaviors)[number];

const schema = z.discriminatedUnion(
  'type',
  [
    z.looseObject({ type: z.literal('Sequence'), pretokenizers: z.array(z.unknown()) }),
    z.looseObject({ type: z.enum(['WhitespaceSplit', 'BertPreTokenizer']) }),
    z.looseObject({
      ...{ type: z.literal('Metaspace'), replacement: z.string().min(1), split: z.boolean().default(true) },
      // Files of older libraries say only whether there is a prefix.
      add_prefix_space: z.boolean().optional(),
      prepend_scheme: z.enum(['always', 'first', 'never']).optional(),
    }),
    z.looseObject({
      ...{ type: z.literal('Split'), pattern: patternSchema, behavior: z.enum(behaviors) },
      invert: z.boolean().default(false),
    }),
    z.looseObject({
      ...{ type: z.literal('ByteLevel'), add_prefix_space: z.boolean().default(true) },
      use_regex: z.boolean().default(true),
    }),
  ],
  'a pre-tokenizer that lincir knows',
);

/**
 * Makes a text's pre-tokenizer.
 * @param description the file's `pre_tokenizer`; null for none
 * @throws LincirError 'bad-file' naming `subject` for one that nobody knows
 */
export function preTokenizerOf(description: unknown, subject: string): PreTokenizer {
  if (description === null) return (words) => [...words];
  const found = checkedValue(schema, description, subject);
  switch (found.type) {
    case 'Sequence': {
      const parts = found.pretokenizers.map((part) => preTokenizerOf(part, subject));
      return (words, isFirst) => parts.reduce((split, part) => part(split, isFirst), [...words]);
    }
    case 'WhitespaceSplit':
      return eachWord((word) => split(word, space, 'Removed'));
    case 'BertPreTokenizer':
      return eachWord((word) =>
        split(word, space, 'Removed').flatMap((part) => split(part, bertPunctuation, 'Isolated')),
      );
    case 'Metaspace':
      return metaspace(found);
    case 'Split': {
      const pattern = regexOf(found.pattern, subject);
      return eachWord((word) => split(word, pattern, found.behavior, found.invert));
    }
    case 'ByteLevel': {
      const { add_prefix_space, use_regex } = found;
      return eachWord((word) => {
        const text = add_prefix_space && !word.startsWith(' ') ? ` ${word}` : word;
        return (use_regex ? split(text, wordsOfGpt2, 'Isolated') : [text]).map(byteCharacters);
      });
    }
  }
}

/** Whether a text's words, as this splits them, are the same when each part between spaces is split alone. */
export function splitsAtSpaces(description: unknown): boolean {
  const types = z.looseObject({ type: z.string(), pretokenizers: z.array(z.unknown()).optional() });
  const { data } = types.safeParse(description);
  if (data?.type === 'Sequence') {
    const [first, ...rest] = data.pretokenizers ?? [];
    return splitsAtSpaces(first) && rest.every((part) => metaspaceSchema.safeParse(part).success);
  }
  return data?.type === 'WhitespaceSplit' || data?.type === 'BertPreTokenizer';
}

const metaspaceSchema = z.looseObject({
  type: z.literal('Metaspace'),
  prepend_scheme: z.literal('always').optional(),
  add_prefix_space: z.literal(true).optional(),
});

const space = new RegExp(whiteSpace, 'gu');
const wordsOfGpt2 = new RegExp(
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^${whiteSpace}\p{L}\p{N}]+|${whiteSpace}+(?!\P{White_Space})|${whiteSpace}+`,
  'gu',
);

function eachWord(divide: (word: string) => readonly string[]): PreTokenizer {
  return (words) => words.flatMap((word) => (word === '' ? [] : divide(word)));
}

function metaspace(found: {
  readonly replacement: string;
  readonly split: boolean;
  readonly add_prefix_space?: boolean | undefined;
  readonly prepend_scheme?: 'always' | 'first' | 'never' | undefined;
}): PreTokenizer {
  const { replacement, add_prefix_space = true, prepend_scheme } = found;
  const scheme = prepend_scheme ?? (add_prefix_space ? 'always' : 'never');
  const mark = literal(replacement);
  return (words, isFirst) =>
    words.flatMap((word, at) => {
      if (word === '') return [];
      let text = word.replaceAll(' ', replacement);
      const isWanted = scheme === 'always' || (scheme === 'first' && isFirst && at === 0);
      if (isWanted && !text.startsWith(replacement)) text = replacement + text;
      return found.split ? split(text, mark, 'MergedWithNext') : [text];
    });
}

/** Splits a text at a pattern. What the pattern finds is removed, stands alone, or belongs to a neighbour. */
function split(text: string, pattern: RegExp, behavior: Behavior, invert = false): string[] {
  const parts: { text: string; isFound: boolean }[] = [];
  const add = (part: string, isFound: boolean) => {
    if (part !== '') parts.push({ text: part, isFound: isFound !== invert });
  };
  let end = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    add(text.slice(end, index), false);
    add(found, true);
    end = index + found.length;
  }
  add(text.slice(end), false);
  if (behavior === 'Removed') return parts.flatMap((part) => (part.isFound ? [] : [part.text]));
  if (behavior === 'Isolated') return parts.map((part) => part.text);
  const joined: string[] = [];
  let last: boolean | undefined; // whether the pattern found the last part
  for (const part of parts) {
    const joins =
      behavior === 'Contiguous'
        ? part.isFound === last
        : behavior === 'MergedWithPrevious'
          ? part.isFound && last === false
          : !part.isFound && last === true;
    joined.push(joins ? joined.pop() + part.text : part.text);
    last = part.isFound;
  }
  return joined;
}

/** A character for each byte, all of them visible, as GPT-2's vocabulary spells them. */
const characterOfByte: readonly string[] = (() => {
  const isVisible = (byte: number) =>
    (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte < 0xad) || byte > 0xad;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isVisible(byte) ? byte : next++));
})();
const utf8 = new TextEncoder();

function byteCharacters(text: string): string {
  return Array.from(utf8.encode(text), (byte) => characterOfByte[byte]).join('');
}
