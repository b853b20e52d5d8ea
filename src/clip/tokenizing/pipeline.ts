/** Turns texts into ids as a `tokenizer.json` describes it: added tokens, normalizer, pre-tokenizer, model. */

import { addedTokenFinder } from './added-tokens.ts';
import { bytePairModel } from './byte-pairs.ts';
import type { CharsmapWay } from './charsmap.ts';
import type { TokenizerDescription, Vocabulary } from './description.ts';
import { type Normalizer, normalizerOf } from './normalizers.ts';
import { preTokenizerOf } from './pre-tokenizers.ts';
import { unigramModel, type WordModel } from './unigram.ts';
import { wordPieceModel } from './word-pieces.ts';

/** Words whose ids are remembered, and how long they may be: most words of texts are few and short. */
const rememberedWords = 2 ** 14;
const longestRemembered = 24;

export interface PipelineOptions {
  /** What a family does to each part between added tokens, before the file's own normalizer. */
  readonly clean: Normalizer | undefined;
  /** Whether scores and charsmaps count as in SentencePiece itself, not as in Rust's `tokenizers`. */
  readonly isSentencePiece: boolean;
}

/**
 * Makes a function from texts to ids, without start and end of text.
 * @throws LincirError 'bad-file' naming `file` for parts that nobody knows, or that contradict each other
 */
export function tokenizingPipeline(
  { added_tokens, normalizer, pre_tokenizer, model }: TokenizerDescription,
  vocabulary: Vocabulary,
  { clean, isSentencePiece }: PipelineOptions,
  file: string,
): (text: string) => number[] {
  const way: CharsmapWay = isSentencePiece ? 'longest' : 'graphemes';
  const normalize = normalizerOf(normalizer, way, `${file}: normalizer`);
  const preTokenize = preTokenizerOf(pre_tokenizer, `${file}: pre_tokenizer`);
  const idsOf = remembering(wordModel(model, vocabulary, isSentencePiece, `${file}: model`));
  const findRaw = addedTokenFinder(
    added_tokens.filter((token) => !token.normalized),
    file,
  );
  const findNormalized = addedTokenFinder(
    added_tokens
      .filter((token) => token.normalized)
      .map((token) => ({ ...token, content: normalize(token.content) })),
    file,
  );
  return (text) => {
    const ids: number[] = [];
    for (const [at, section] of findRaw(text.toWellFormed()).entries()) {
      if ('id' in section) {
        ids.push(section.id);
        continue;
      }
      const normalized = normalize(clean?.(section.text) ?? section.text);
      for (const [within, part] of findNormalized(normalized).entries()) {
        if ('id' in part) ids.push(part.id);
        else for (const word of preTokenize([part.text], at + within === 0)) ids.push(...idsOf(word));
      }
    }
    return ids;
  };
}

function wordModel(
  model: TokenizerDescription['model'],
  vocabulary: Vocabulary,
  isSentencePiece: boolean,
  subject: string,
): WordModel {
  switch (model.type) {
    case 'Unigram':
      return unigramModel(model, vocabulary, isSentencePiece, subject);
    case 'WordPiece':
      return wordPieceModel(model, vocabulary, subject);
    case 'BPE':
      return bytePairModel(model, vocabulary, subject);
  }
}

function remembering(model: WordModel): WordModel {
  const known = new Map<string, readonly number[]>();
  return (word) => {
    if (word.length > longestRemembered) return model(word);
    const remembered = known.get(word);
    if (remembered) return remembered;
    if (known.size >= rememberedWords) known.clear();
    const ids = model(word);
    known.set(word.split('').join(''), ids); // a copy: a part of a text would keep the whole text in memory
    return ids;
  };
}
