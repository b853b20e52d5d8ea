/** What a `tokenizer.json` says, checked. */

import { z } from 'zod';
import { LincirError, listOf, recordOf, unquoted } from '../../core/index.ts';

/** Longer words would take long: the time grows with the cube of their length. */
const longestWord = 200;

const id = z.int().nonnegative();
/** Tokens and their ids. */
export const vocabularySchema = recordOf(id);
const flag = z.boolean().default(false);
/** A token besides the vocabulary, with its flags. */
export const addedSchema = z.looseObject({
  ...{ content: z.string(), single_word: flag, lstrip: flag, rstrip: flag, normalized: flag, special: flag },
});
const word = z.string();
const isText = (value: unknown) => typeof value === 'string';
/** A piece and its score. */
const pieces = longList<[piece: string, score: number]>('a piece and its score', (item) => {
  const [text, score] = Array.isArray(item) ? item : [];
  return isText(text) && typeof score === 'number';
});
/** `a b` in files of older libraries, [`a`, `b`] in newer ones. */
const merges = longList<string | [string, string]>('two tokens', (item) => {
  return isText(item) || (Array.isArray(item) && item.length === 2 && item.every(isText));
});
const modelSchema = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('BPE'),
    vocab: vocabularySchema,
    merges,
    unk_token: word.nullable().default(null),
    end_of_word_suffix: word.nullish(),
    continuing_subword_prefix: word.nullish(),
    ...{ fuse_unk: flag, byte_fallback: flag, ignore_merges: flag },
  }),
  z.looseObject({
    ...{ type: z.literal('Unigram'), vocab: pieces, byte_fallback: flag },
    unk_id: id.nullable().default(null),
  }),
  z.looseObject({
    ...{ type: z.literal('WordPiece'), vocab: vocabularySchema, unk_token: word.default('[UNK]') },
    continuing_subword_prefix: word.default('##'),
    max_input_chars_per_word: id.max(longestWord).default(100),
  }),
]);
export const tokenizerSchema = z.looseObject({
  added_tokens: listOf(addedSchema.extend({ id })).default([]),
  // Python accepts null for a missing one, here and below.
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: z.unknown().default(null),
  // Older files do not say which model it is. Then its fields do.
  model: z.preprocess((model) => {
    if (typeof model !== 'object' || model === null || 'type' in model) return model;
    const type = 'merges' in model ? 'BPE' : 'unk_id' in model ? 'Unigram' : 'WordPiece';
    return { type, ...model };
  }, modelSchema),
});

export type TokenizerDescription = z.infer<typeof tokenizerSchema>;

/** A vocabulary's tokens and their ids, without added ones. */
export type Vocabulary = ReadonlyMap<string, number>;

/** Makes the index of a vocabulary: once, because it may have a million tokens. */
export function vocabularyOf({ model }: TokenizerDescription): Vocabulary {
  const ids = new Map<string, number>();
  if (model.type === 'Unigram') for (const [id, [piece]] of model.vocab.entries()) ids.set(piece, id);
  else for (const token of Object.keys(model.vocab)) ids.set(token, model.vocab[token]!);
  return ids;
}

/** A list that may have a million items, checked up to the first wrong one, and in one pass: zod would copy each. */
function longList<Item>(expected: string, fits: (item: unknown) => boolean) {
  return z.array(z.unknown()).transform((items, context) => {
    const wrong = items.findIndex((item) => !fits(item));
    if (wrong >= 0) context.addIssue({ code: 'custom', path: [wrong], message: `expected ${expected}` });
    return items as Item[];
  });
}

/** Checks what a tokenizer's file says. Throws LincirError 'bad-file' naming it. */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  file: string,
): z.output<Schema> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new LincirError('bad-file', {
    subject: file,
    expected: 'a tokenizer',
    found: unquoted(`${path.join('.')}: ${message}`, 160),
    cause: result.error,
  });
}
