/** The wordings and weights that serve the benchmark's queries best, chosen on queries of another one: docs/miniature.md. */

/** For phi and other pseudo tokens, and for methods without training. */
export const miniPrompts = {
  composed: '$ $ $ $ that {text}',
  text: 'a photo of something that {text}',
} as const;

/** Of the text. */
export const miniWeights = { sum: 2, slerp: 0.7 } as const;
