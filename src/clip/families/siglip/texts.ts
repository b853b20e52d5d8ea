/** How SigLIP's texts are prepared. */

import { lowerCase } from '../../tokenizing/characters.ts';
import type { TextRules } from '../../tokenizing/rules.ts';
import { withoutPunctuation, wordsJoined } from '../../tokenizing/text-cleaning.ts';

/** For T5's vocabulary: lower case without punctuation, as in training. transformers' class keeps a space at the beginning. */
export const siglipTexts: TextRules = {
  positions: 64,
  clean: (text) => wordsJoined(withoutPunctuation(text.replaceAll('▁', ' ').toLowerCase())),
  isSentencePiece: true,
};

/** For Gemma's vocabulary, of SigLIP 2: lower case alone. The files do not always say which tokens end texts. */
export const siglip2Texts: TextRules = {
  positions: 64,
  normalize: lowerCase,
  ends: { start: 'none', end: 'eos' },
};
