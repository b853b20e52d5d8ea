/** BERT's model: the longest pieces of a word that the vocabulary has, from left to right. */

import { LincirError, quoted } from '../../core/index.ts';
import type { Vocabulary } from './description.ts';
import type { WordModel } from './unigram.ts';

export interface WordPieceDescription {
  readonly unk_token: string;
  /** Begins the pieces that do not begin a word. */
  readonly continuing_subword_prefix: string;
  readonly max_input_chars_per_word: number;
}

/** @throws LincirError 'bad-file' naming `subject` for a vocabulary without its unknown token */
export function wordPieceModel(
  description: WordPieceDescription,
  ids: Vocabulary,
  subject: string,
): WordModel {
  const { unk_token, continuing_subword_prefix: prefix, max_input_chars_per_word: most } = description;
  const unknown = ids.get(unk_token);
  if (unknown === undefined) {
    const expected = `a vocabulary with its unknown token, ${quoted(unk_token)}`;
    throw new LincirError('bad-file', { subject, expected, found: `${ids.size} tokens without it` });
  }
  const longest = [...ids.keys()].reduce((length, piece) => Math.max(length, piece.length), 0);
  return (word) => {
    const characters = [...word];
    if (characters.length > most) return [unknown];
    const found: number[] = [];
    for (let begin = 0; begin < characters.length; ) {
      const start = begin === 0 ? '' : prefix;
      let end = Math.min(characters.length, begin + longest);
      let id: number | undefined;
      for (; end > begin && id === undefined; end -= 1) {
        id = ids.get(start + characters.slice(begin, end).join(''));
      }
      if (id === undefined) return [unknown];
      found.push(id);
      begin = end + 1;
    }
    return found;
  };
}
