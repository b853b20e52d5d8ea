/** The ids that end and fill up SigLIP's texts, by the vocabularies of its tokenizers. */

/** The smallest first. */
export const siglipEnds = [
  { vocabulary: 32_000, endOfText: 1, padding: 1 }, // T5's
  { vocabulary: 250_000, endOfText: 1, padding: 1 }, // mC4's, for other languages
  { vocabulary: 256_000, endOfText: 1, padding: 0 }, // Gemma's, of SigLIP 2
] as const;
