/** Masks captions: replaces their keywords by the placeholder `$`. */

import { placeholderWord } from '../clip/index.ts';
import type { Masking } from './choices.ts';
import type { Span } from './keywords.ts';

export interface MaskedCaption {
  /** The masked text. Every placeholder is a separate word, with spaces around it. */
  readonly text: string;
  readonly keywords: readonly string[];
  /**
   * What else was replaced: a random word, because a keyword is not in the caption, or the whole text, because nothing was
   * replaced.
   */
  readonly fallback?: 'random-word' | 'prompt';
}

/** The text that has no content but the placeholder. */
export const placeholderPrompt = `a photo of ${placeholderWord}`;

const separatePlaceholder = ` ${placeholderWord} `;

/**
 * Masks a cleaned caption, which has no `$`.
 * @param spans of its keywords
 * @param random draws from [0, 1); called only to replace a random word
 */
export function maskCaption(
  cleaned: string,
  spans: readonly Span[],
  masking: Masking,
  random: () => number,
): MaskedCaption {
  const keywords = spans.map(({ start, end }) => cleaned.slice(start, end));
  const { text, isRandom } =
    masking === 'spans'
      ? { text: replaceSpans(cleaned, spans), isRandom: false }
      : replaceOccurrences(cleaned, keywords, random);
  if (!text.includes(placeholderWord)) return { text: placeholderPrompt, keywords, fallback: 'prompt' };
  return { text: text.replaceAll(/ +/g, ' ').trim(), keywords, ...(isRandom && { fallback: 'random-word' }) };
}

function replaceSpans(cleaned: string, spans: readonly Span[]): string {
  let text = '';
  let begin = 0;
  for (const { start, end } of spans) {
    text += cleaned.slice(begin, start) + separatePlaceholder;
    begin = end;
  }
  return text + cleaned.slice(begin);
}

/**
 * The authors' rule. A keyword's words are joined by single spaces. It is replaced wherever these characters occur, even
 * inside words, unless earlier keywords have changed them. If the caption itself does not have these characters, one
 * random word is replaced in the same way.
 */
function replaceOccurrences(
  cleaned: string,
  keywords: readonly string[],
  random: () => number,
): { readonly text: string; readonly isRandom: boolean } {
  let text = cleaned;
  let isRandom = false;
  for (const keyword of new Set(keywords.map((run) => run.replaceAll(/\s+/g, ' ')))) {
    if (cleaned.includes(keyword)) {
      text = text.replaceAll(keyword, separatePlaceholder);
      continue;
    }
    const words = text.split(' ').filter((word) => word !== '' && word !== placeholderWord);
    if (words.length === 0) break;
    text = text.replaceAll(words[Math.floor(random() * words.length)]!, separatePlaceholder);
    isRandom = true;
  }
  return { text, isRandom };
}
