/** A caption's keywords: runs of nouns, proper nouns, adjectives and determiners, as wink-nlp tags them. */

import type { Model, PartOfSpeech } from 'wink-nlp';
import { detached } from './cleaning.ts';

/** A part of a text: from `start` to before `end`, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The spans of a cleaned caption's keywords, in order. They depend on the caption alone. */
type KeywordTagger = (cleaned: string) => Span[];

/** What wink's English model keeps about words. It adds new words as they come. */
interface WinkLexicon {
  readonly features: {
    readonly lexeme: { readonly hash: Record<string, number>; readonly list: readonly string[] };
  };
}

type WinkNlp = typeof import('wink-nlp').default;

interface Word {
  readonly text: string;
  readonly isKeyword: boolean;
}

const keywordTags: ReadonlySet<string> = new Set<PartOfSpeech>(['NOUN', 'PROPN', 'ADJ', 'DET']);
/** Only so many characters are tagged. 77 tokens seldom reach as far, and odd texts take no longer. */
const taggedLength = 1000;
/** wink never forgets new words, so it is reloaded after so many. */
const newWordsLimit = 2 ** 16;

/** Loads the English model, which takes a tenth of a second and 25 MB. */
export async function createTagger(): Promise<KeywordTagger> {
  // Loaded lazily, so that only training waits for it.
  const [{ default: winkNlp }, { default: english }] = await Promise.all([
    import('wink-nlp'),
    import('wink-eng-lite-web-model'),
  ]);
  const loadWink = () => openWink(winkNlp, english);
  let wink = loadWink();
  return (cleaned) => {
    if (wink.newWords() > newWordsLimit) wink = loadWink();
    const spans: Span[] = [];
    let end = 0;
    let inRun = false;
    for (const { text, isKeyword } of wink.words(beginning(cleaned))) {
      const start = cleaned.indexOf(text, end);
      if (start < 0) continue; // a rare contraction, which wink spells differently
      inRun &&= cleaned.slice(end, start).trim() === '';
      end = start + text.length;
      if (isKeyword) {
        const first = inRun ? spans.pop()!.start : start;
        spans.push({ start: first, end });
      }
      inRun = isKeyword;
    }
    return spans;
  };
}

/** Whole words of at most `taggedLength` characters. */
function beginning(cleaned: string): string {
  if (cleaned.length <= taggedLength) return cleaned;
  const [words = ''] = cleaned.slice(0, taggedLength + 1).match(/^.*(?=\s)/s) ?? [];
  return detached(words);
}

function openWink(winkNlp: WinkNlp, english: Model): { words(text: string): Word[]; newWords(): number } {
  const lexicon = (english.core as () => WinkLexicon)();
  const { hash, list } = lexicon.features.lexeme;
  const knownWords = list.length;
  const model = {
    ...english,
    core: () => lexicon,
    metaCER: () => ({ transformers: [] }), // the model's own doubles in size each time
  };
  const { readDoc, its } = winkNlp(model, ['pos']);
  const adjectives = new Map<string, boolean>();
  /** wink takes the "large" of "a large brown dog" for an adverb, but not "large" alone. "very" always is one. */
  const isAdjective = (word: string) => {
    const known = adjectives.get(word) ?? readDoc(word).tokens().out(its.pos)[0] === 'ADJ';
    adjectives.set(word, known);
    return known;
  };
  return {
    words(text) {
      const before = list.length;
      const tokens = readDoc(text).tokens();
      const tags = tokens.out(its.pos);
      const words = tokens.out(its.value).map((word, at) => {
        const isMistaken = tags[at] === 'ADV' && keywordTags.has(tags[at + 1]!) && isAdjective(word);
        return { text: word, isKeyword: keywordTags.has(tags[at]!) || isMistaken };
      });
      // A known word is no longer split: "4k," would give other tokens after "in 4k" than before.
      for (const word of list.slice(before)) Reflect.deleteProperty(hash, word);
      return words.filter((word) => word.text.trim() !== '');
    },
    newWords: () => list.length - knownWords,
  };
}
