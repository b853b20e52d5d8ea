/** Prepares a raw caption for a training step: its ids, and those of the masked caption. */

import type { ClipTokenizer } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import { cleanCaption, detached } from './cleaning.ts';
import { createTagger } from './keywords.ts';
import { type Masking, maskCaption, placeholder, placeholderPrompt } from './masking.ts';

/** A caption as token ids, start and end of text included. */
export interface PreparedCaption {
  readonly ids: readonly number[];
  readonly masked: readonly number[];
  /** Positions of the placeholder in `masked`; at least one. */
  readonly placeholders: readonly number[];
}

/** Total characters of the words whose ids are remembered. */
const rememberedCharacters = 2 ** 19;

/**
 * Cleans, cuts, masks and tokenizes captions. A caption is cut to the tokenizer's maximum before masking, so the masked
 * caption says nothing that the caption's ids do not. If no placeholder would be left, `masked` is `a photo of $`. A
 * caption that spells out the end of text ends there, as it does for the text tower.
 * @returns a function whose result depends only on the caption and on `random`, which gives numbers in [0, 1)
 * @throws LincirError 'bad-config' for a tokenizer in which `$` is not one token
 */
export function createPreparation(
  tokenizer: ClipTokenizer,
  masking: Masking,
): (caption: string, random: () => number) => PreparedCaption {
  const placeholderId = expectPlaceholder(tokenizer);
  const encode = wordEncoder(tokenizer);
  const keywordsOf = createTagger();
  const withPlaceholders = (text: string) => {
    const { ids: masked } = encode(text);
    const placeholders = [...masked.keys()].filter((position) => masked[position] === placeholderId);
    return { masked, placeholders };
  };
  return (caption, random) => {
    const cleaned = cleanCaption(caption);
    const { ids, reach } = encode(cleaned);
    const seen = cleaned.slice(0, reach);
    const { text } = maskCaption(seen, keywordsOf(seen), masking, random);
    const masked = withPlaceholders(text);
    return { ids, ...(masked.placeholders.length > 0 ? masked : withPlaceholders(placeholderPrompt)) };
  };
}

function expectPlaceholder({ idOf, encode, endOfText }: ClipTokenizer): number {
  const id = idOf(placeholder);
  const { ids, truncated } = encode(placeholderPrompt);
  // A vocabulary without it gives the id of unknown characters: in CLIP's tokenizers, the end of text.
  if (id !== undefined && id !== endOfText && !truncated && ids.indexOf(id) === ids.length - 2) return id;
  throw new LincirError('bad-config', {
    subject: 'the tokenizer',
    expected: `one token for the word "${placeholder}", as CLIP's has it, and room for "${placeholderPrompt}"`,
    found: `ids ${ids.join(', ')} for that text`,
    todo: 'choose the tokenizer of a CLIP model',
  });
}

/**
 * Tokenizes texts whose words repeat: CLIP's tokens never cross white space, so a text's ids are its words' ids. `reach`
 * is the end of the last word that is in the ids.
 */
function wordEncoder({
  encode,
  startOfText,
  endOfText,
  maximum,
}: ClipTokenizer): (text: string) => { readonly ids: number[]; readonly reach: number } {
  const known = new Map<string, readonly number[]>();
  let characters = 0;
  const idsOf = (word: string): readonly number[] => {
    const remembered = known.get(word);
    if (remembered) return remembered;
    if (characters > rememberedCharacters) {
      known.clear();
      characters = 0;
    }
    const ids = encode(word).ids.slice(1, -1);
    known.set(detached(word), ids);
    characters += word.length;
    return ids;
  };
  return (text) => {
    const ids = [startOfText];
    let reach = 0;
    for (const { 0: word, index } of text.matchAll(/[^ \t\r\n]+/g)) {
      const added = idsOf(word);
      ids.push(...added);
      if (added.includes(endOfText)) break;
      reach = index + word.length;
      if (ids.length >= maximum - 1) break;
    }
    ids.length = Math.min(ids.length, maximum - 1);
    ids.push(endOfText);
    return { ids: ids.slice(0, ids.indexOf(endOfText) + 1), reach };
  };
}
