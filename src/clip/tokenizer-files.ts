/** Reads the files of a CLIP tokenizer: `tokenizer.json`, or `vocab.json` and `merges.txt`, and files that add tokens. */

import { z } from 'zod';
import {
  LincirError,
  listOf,
  type ModelFiles,
  missingFile,
  quoted,
  type RandomAccess,
  readJson,
  recordOf,
  unquoted,
} from '../core/index.ts';
import { expectLinearPatterns } from './tokenizer-patterns.ts';

export const startToken = '<|startoftext|>';
export const endToken = '<|endoftext|>';

/** Limit of `merges.txt`: 30 times CLIP's. */
const mergesByteLimit = 2 ** 24;

const id = z.int().nonnegative();
const vocabularySchema = recordOf(id);
const flag = z.boolean().default(false);
const addedSchema = z.looseObject({
  ...{ content: z.string(), single_word: flag, lstrip: flag, rstrip: flag, normalized: flag, special: flag },
});
const tokenizerSchema = z.looseObject({
  added_tokens: listOf(addedSchema.extend({ id })).default([]),
  // Python accepts null for a missing one, here and below.
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: z.unknown().default(null),
  model: z.looseObject({
    type: z.literal('BPE').default('BPE'),
    vocab: vocabularySchema,
    // `a b` in files of older libraries, [`a`, `b`] in newer ones.
    merges: listOf(z.string()).or(listOf(z.tuple([z.string(), z.string()]))),
  }),
});

export type TokenizerDescription = z.infer<typeof tokenizerSchema>;

const special = z.union([z.string().transform((content) => ({ content })), addedSchema]).nullish();
const specials = z.array(special).nullish();
const specialNames = {
  ...{ bos_token: special, eos_token: special, unk_token: special, pad_token: special },
  additional_special_tokens: specials,
  // The same in transformers 5, which may name each.
  extra_special_tokens: specials.or(
    z.record(z.string(), special).transform(Object.values<z.infer<typeof special>>),
  ),
};
/** Optional files, and the parts that add tokens. */
const additions = {
  'tokenizer_config.json': z.looseObject({
    added_tokens_decoder: z.record(z.string().regex(/^\d+$/, 'an id'), addedSchema).nullish(),
    ...specialNames,
  }),
  'added_tokens.json': vocabularySchema,
  'special_tokens_map.json': z.looseObject(specialNames),
};

/**
 * Reads the tokenizer from a model's files.
 * @param vocabulary the number of tokens in the text tower. Tokens beyond it that only other files add do not count
 * @throws LincirError 'not-found', 'io' or 'bad-file'
 */
export async function readTokenizerFiles(
  files: ModelFiles,
  vocabulary = Infinity,
): Promise<{ readonly file: string; readonly description: TokenizerDescription }> {
  const { file, description } = await readVocabulary(files);
  const known = new Set(description.added_tokens.map(({ content }) => content));
  const added = [...description.added_tokens];
  const { vocab } = description.model;
  let next =
    Object.values(vocab)
      .concat(added.map(({ id }) => id))
      .reduce((most, id) => Math.max(most, id), -1) + 1;
  for (const token of await readAdditions(files, vocab)) {
    const { content, id = next } = token;
    if (known.has(content) || id >= vocabulary) continue;
    known.add(content);
    added.push({ ...token, id });
    next = Math.max(next, id + 1);
  }
  return { file, description: { ...description, added_tokens: added } };
}

async function readVocabulary(
  files: ModelFiles,
): Promise<{ readonly file: string; readonly description: TokenizerDescription }> {
  const whole = await files.read('tokenizer.json');
  if (whole) {
    const description = checked(tokenizerSchema, await readJson(whole), whole.name);
    expectLinearPatterns(whole.name, description.normalizer, description.pre_tokenizer);
    return { file: whole.name, description };
  }
  const [vocabulary, merges] = [await files.read('vocab.json'), await files.read('merges.txt')];
  if (!vocabulary || !merges) throw await missingFile(files, 'tokenizer.json, or vocab.json and merges.txt');
  const vocab = checked(vocabularySchema, await readJson(vocabulary), vocabulary.name);
  return { file: vocabulary.name, description: clipTokenizer(vocab, await readMerges(merges)) };
}

/**
 * The tokens that newer and older versions of transformers keep besides the vocabulary, by priority. Those without an id
 * get the next one.
 */
async function readAdditions(
  files: ModelFiles,
  vocab: Readonly<Record<string, number>>,
): Promise<readonly (z.infer<typeof addedSchema> & { readonly id?: number })[]> {
  const read = async <Name extends keyof typeof additions>(name: Name) => {
    const file = await files.read(name);
    if (file === undefined) return undefined;
    return checked(additions[name], await readJson(file), file.name) as z.output<(typeof additions)[Name]>;
  };
  const config = await read('tokenizer_config.json');
  const older = await read('added_tokens.json');
  const map = await read('special_tokens_map.json');
  const specials = [
    ...[map, config].flatMap((file) => [file?.bos_token, file?.eos_token, file?.unk_token, file?.pad_token]),
    ...(config?.additional_special_tokens ?? map?.additional_special_tokens ?? []),
    ...(config?.extra_special_tokens ?? map?.extra_special_tokens ?? []),
  ];
  const isPlain = { single_word: false, lstrip: false, rstrip: false };
  return [
    ...Object.entries(config?.added_tokens_decoder ?? {}).map(([key, token]) => ({
      ...token,
      id: Number(key),
    })),
    ...Object.entries(older ?? {}).map(([content, id]) => ({
      ...{ id, content, ...isPlain, normalized: true, special: false },
    })),
    ...specials.flatMap((token) => {
      if (!token) return [];
      const own = Object.hasOwn(vocab, token.content) && { id: vocab[token.content]! };
      return [{ ...isPlain, normalized: false, ...token, special: true, ...own }];
    }),
  ];
}

/** A line per merge: two tokens and a space between them. */
async function readMerges(file: RandomAccess): Promise<[string, string][]> {
  const refuse = (subject: string, expected: string, found: string) =>
    new LincirError('bad-file', { subject, expected, found, todo: 'get the file again' });
  if (file.size > mergesByteLimit) {
    throw refuse(file.name, `at most ${mergesByteLimit} bytes`, `${file.size}`);
  }
  const lines = new TextDecoder().decode(await file.read(0, file.size)).split(/\r?\n/);
  return lines.flatMap((line, index): [string, string][] => {
    if (line === '' || (index === 0 && line.startsWith('#version'))) return [];
    const [left, right, ...rest] = line.split(' ');
    if (left && right && rest.length === 0) return [[left, right]];
    throw refuse(`${file.name}: line ${index + 1}`, 'two tokens with a space between them', quoted(line));
  });
}

/** `tokenizer.json` as every published CLIP has it, with the given vocabulary and merges. */
function clipTokenizer(
  vocab: Readonly<Record<string, number>>,
  merges: [string, string][],
): TokenizerDescription {
  const words = String.raw`<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`;
  const normalizers = [
    { type: 'NFC' },
    { type: 'Replace', pattern: { Regex: String.raw`\s+` }, content: ' ' },
    { type: 'Lowercase' },
  ];
  const pretokenizers = [
    { type: 'Split', pattern: { Regex: words }, behavior: 'Removed', invert: true },
    { type: 'ByteLevel', add_prefix_space: false },
  ];
  return {
    added_tokens: [startToken, endToken].flatMap((content) => {
      const id = vocab[content];
      const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
      return id === undefined ? [] : [{ id, content, ...flags }];
    }),
    normalizer: { type: 'Sequence', normalizers },
    pre_tokenizer: { type: 'Sequence', pretokenizers },
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', vocab: { ...vocab }, merges, unk_token: endToken, end_of_word_suffix: '</w>' },
  };
}

function checked<Schema extends z.ZodType>(schema: Schema, json: unknown, file: string): z.output<Schema> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new LincirError('bad-file', {
    subject: file,
    expected: "CLIP's byte-pair tokenizer",
    found: unquoted(`${path.join('.')}: ${message}`, 160),
    cause: result.error,
  });
}
