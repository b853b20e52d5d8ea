/** Prepares a raw caption for a training step: its ids, and those of the masked caption. */

import { joinParts, placeholderWord, type TextTokenizer } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import type { Masking } from './choices.ts';
import { cleanCaption, detached } from './cleaning.ts';
import { createTagger } from './keywords.ts';
import { maskCaption, placeholderPrompt } from './masking.ts';

/** A caption as token ids, start and end of text included. */
export interface PreparedCaption {
  readonly ids: readonly number[];
  readonly masked: readonly number[];
  /** Positions of the placeholder in `masked`; at least one. */
  readonly placeholders: readonly number[];
}

/** Total characters of the words whose ids are remembered. */
const rememberedCharacters = 2 ** 19;

/** Words as white space separates them. */
const words = /[^ \t\r\n]+/g;

/**
 * Cleans, cuts, masks and tokenizes captions. A caption is cut to the tokenizer's maximum before masking, so the masked
 * caption says nothing that the caption's ids do not. If no placeholder would be left, `masked` is `a photo of $`. A
 * caption that spells out the end of text ends there, as it does for the text tower.
 * @returns a function whose result depends only on the caption and on `random`, which gives numbers in [0, 1)
 * @throws LincirError 'bad-config' for a tokenizer without `$`
 */
export async function createPreparation(
  tokenizer: TextTokenizer,
  masking: Masking,
): Promise<(caption: string, random: () => number) => PreparedCaption> {
  const { endOfText, maximum } = tokenizer;
  const encode = tokenizer.isByWords ? wordEncoder(tokenizer) : textEncoder(tokenizer);
  const keywordsOf = await createTagger();
  const cut = (ids: readonly number[]): number[] => {
    const kept = ids.slice(0, maximum - 1);
    const end = kept.indexOf(endOfText);
    return [...(end < 0 ? kept : kept.slice(0, end)), endOfText];
  };
  const withPlaceholders = (text: string) => {
    const { ids, places } = joinParts(tokenizer, text.split(placeholderWord), (part) => encode(part).ids);
    const masked = cut(ids);
    return { masked, placeholders: places.filter((position) => position < masked.length - 1) };
  };
  const prompt = withPlaceholders(placeholderPrompt);
  if (prompt.placeholders.length === 0) throw noRoom(maximum);
  return (caption, random) => {
    const cleaned = cleanCaption(caption);
    const { ids, reach } = encode(cleaned);
    const seen = cleaned.slice(0, reach);
    const { text } = maskCaption(seen, keywordsOf(seen), masking, random);
    const masked = withPlaceholders(text);
    const { startOfText } = tokenizer;
    return {
      ids: cut(startOfText === undefined ? ids : [startOfText, ...ids]),
      ...(masked.placeholders.length > 0 ? masked : prompt),
    };
  };
}

function noRoom(maximum: number): LincirError {
  return new LincirError('bad-config', {
    subject: 'the tokenizer',
    expected: `room for "${placeholderPrompt}"`,
    found: `texts of at most ${maximum} ids`,
    todo: 'choose another model',
  });
}

/** The ids of a text without its start and end, and the end of the last word that is in the ids that fit. */
type Encoder = (text: string) => { readonly ids: readonly number[]; readonly reach: number };

/** Tokenizes texts whose words repeat. */
function wordEncoder(tokenizer: TextTokenizer): Encoder {
  const { encodePart, endOfText } = tokenizer;
  const room = roomOf(tokenizer);
  const known = new Map<string, readonly number[]>();
  let characters = 0;
  const idsOf = (word: string): readonly number[] => {
    const remembered = known.get(word);
    if (remembered) return remembered;
    if (characters > rememberedCharacters) {
      known.clear();
      characters = 0;
    }
    const ids = encodePart(word);
    known.set(detached(word), ids);
    characters += word.length;
    return ids;
  };
  return (text) => {
    const ids: number[] = [];
    let reach = 0;
    for (const { 0: word, index } of text.matchAll(words)) {
      const added = idsOf(word);
      ids.push(...added);
      if (added.includes(endOfText)) break;
      reach = index + word.length;
      if (ids.length >= room) break;
    }
    return { ids, reach };
  };
}

/** Tokenizes whole texts, where tokens may cross white space. */
function textEncoder(tokenizer: TextTokenizer): Encoder {
  const { encodePart, endOfText } = tokenizer;
  const room = roomOf(tokenizer);
  const isOver = (ids: readonly number[]) => ids.length >= room || ids.includes(endOfText);
  return (text) => {
    const ids = encodePart(text);
    if (!isOver(ids)) return { ids, reach: text.length };
    const ends = Array.from(text.matchAll(words), ({ 0: word, index }) => index + word.length);
    const upTo = (word: number) => encodePart(text.slice(0, ends[word]));
    let [first, last] = [0, ends.length - 1];
    while (first < last) {
      const middle = (first + last) >> 1;
      if (isOver(upTo(middle))) last = middle;
      else first = middle + 1;
    }
    // The word that fills the room still counts, as in `wordEncoder`; the end of text does not.
    const reached = upTo(first).includes(endOfText) ? first - 1 : first;
    return { ids, reach: ends[reached] ?? 0 };
  };
}

function roomOf({ startOfText, maximum }: TextTokenizer): number {
  return maximum - (startOfText === undefined ? 1 : 2);
}
