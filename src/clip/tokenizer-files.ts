/** Reads a tokenizer's files: `tokenizer.json`, or a plain vocabulary, and files that add tokens. */

import { z } from 'zod';
import { LincirError, type ModelFiles, missingFile, quoted, readJson, shortJson } from '../core/index.ts';
import { expectLinearPatterns } from './tokenizer-patterns.ts';
import {
  addedSchema,
  checked,
  type TokenizerDescription,
  tokenizerSchema,
  type Vocabulary,
  vocabularyOf,
  vocabularySchema,
} from './tokenizing/description.ts';
import { readBertVocabulary, readClipVocabulary } from './tokenizing/plain-vocabularies.ts';

/** Limit of `tokenizer.json`: twice that of XLM-V with its 901,629 tokens. */
const byteLimit = 2 ** 27;
/** How SentencePiece's own models are named. */
const sentencePieceFiles = ['spiece.model', 'sentencepiece.bpe.model', 'tokenizer.model'];

const special = z.union([z.string().transform((content) => ({ content })), addedSchema]).nullish();
const specials = z.array(special).nullish();
const specialNames = {
  ...{ bos_token: special, eos_token: special, unk_token: special, pad_token: special },
  ...{ cls_token: special, sep_token: special, mask_token: special },
  additional_special_tokens: specials,
  // The same in transformers 5, which may name each.
  extra_special_tokens: specials.or(
    z.record(z.string(), special).transform(Object.values<z.infer<typeof special>>),
  ),
};
const flag = z.boolean().nullish();
/** `tokenizer_config.json`: tokens that it adds, and what transformers' classes make of a tokenizer. */
const settingsSchema = z.looseObject({
  added_tokens_decoder: z.record(z.string().regex(/^\d+$/, 'an id'), addedSchema).nullish(),
  ...specialNames,
  tokenizer_class: z.string().nullish(),
  auto_map: z.unknown().optional(),
  ...{ add_bos_token: flag, add_eos_token: flag },
  ...{ do_lower_case: flag, strip_accents: flag, tokenize_chinese_chars: flag },
});
export type TokenizerSettings = z.infer<typeof settingsSchema>;

/** A tokenizer's files, read. */
export interface TokenizerFiles {
  /** The file with the vocabulary, for messages. */
  readonly file: string;
  readonly description: TokenizerDescription;
  /** The vocabulary without added tokens. */
  readonly vocabulary: Vocabulary;
  readonly settings: TokenizerSettings;
}

/**
 * Reads the tokenizer from a model's files.
 * @param limit the number of tokens in the text tower. Tokens beyond it that only other files add do not count
 * @throws LincirError 'not-found', 'io' or 'bad-file'
 */
export async function readTokenizerFiles(files: ModelFiles, limit = Infinity): Promise<TokenizerFiles> {
  const settings: TokenizerSettings = (await readPart(files, 'tokenizer_config.json', settingsSchema)) ?? {};
  expectNoCode(settings, files);
  const { file, description } = await readVocabulary(files, settings);
  const vocabulary = vocabularyOf(description);
  const added = [...description.added_tokens];
  const known = new Set(added.map(({ content }) => content));
  let next = -1;
  for (const id of vocabulary.values()) next = Math.max(next, id);
  next = added.reduce((most, { id }) => Math.max(most, id), next) + 1;
  for (const token of await readAdditions(files, settings, vocabulary)) {
    const { content, id = next } = token;
    if (known.has(content) || id >= limit) continue;
    known.add(content);
    added.push({ ...token, id });
    next = Math.max(next, id + 1);
  }
  return { file, description: { ...description, added_tokens: added }, vocabulary, settings };
}

async function readVocabulary(
  files: ModelFiles,
  settings: TokenizerSettings,
): Promise<Pick<TokenizerFiles, 'file' | 'description'>> {
  const whole = await files.read('tokenizer.json');
  if (whole) {
    const description = checked(tokenizerSchema, await readJson(whole, byteLimit), whole.name);
    expectLinearPatterns(whole.name, description.normalizer, description.pre_tokenizer);
    return { file: whole.name, description };
  }
  const [vocabulary, merges] = [await files.read('vocab.json'), await files.read('merges.txt')];
  if (vocabulary && merges) {
    return { file: vocabulary.name, description: await readClipVocabulary(vocabulary, merges) };
  }
  const pieces = await files.read('vocab.txt');
  if (pieces) return { file: pieces.name, description: await readBertVocabulary(pieces, settings) };
  for (const name of sentencePieceFiles) {
    const model = await files.read(name);
    if (model) throw sentencePieceOnly(model.name, files.name);
  }
  throw await missingFile(files, 'tokenizer.json, or vocab.txt, or vocab.json and merges.txt');
}

/** transformers' own converter for T5 also makes that of SigLIP, whose class has none. */
function sentencePieceOnly(file: string, folder: string): LincirError {
  const [expected, found] = ['a tokenizer.json beside it', 'none'];
  const of = file.endsWith('spiece.model') ? 'T5Tokenizer' : 'AutoTokenizer';
  const extra = of === 'T5Tokenizer' ? ', extra_ids=0' : '';
  const python = `from transformers import ${of}; ${of}.from_pretrained('${folder}'${extra}).save_pretrained('${folder}')`;
  return new LincirError('bad-file', {
    subject: file,
    expected,
    found,
    todo: `make one with Python: ${python}`,
  });
}

/** Throws for a tokenizer that its model's own Python code makes. */
function expectNoCode({ auto_map, tokenizer_class }: TokenizerSettings, files: ModelFiles): void {
  if (typeof auto_map !== 'object' || auto_map === null || !('AutoTokenizer' in auto_map)) return;
  throw new LincirError('bad-file', {
    subject: `${files.name}: tokenizer_config.json`,
    expected: 'a tokenizer that its files describe',
    found: `one that needs code to run, ${shortJson(auto_map.AutoTokenizer)} (${quoted(tokenizer_class ?? 'no class')})`,
    todo: 'choose a model whose tokenizer transformers has itself',
  });
}

/**
 * The tokens that newer and older versions of transformers keep besides the vocabulary, by priority. Those without an id
 * get the next one.
 */
async function readAdditions(
  files: ModelFiles,
  settings: TokenizerSettings,
  vocabulary: Vocabulary,
): Promise<readonly (z.infer<typeof addedSchema> & { readonly id?: number })[]> {
  const older = await readPart(files, 'added_tokens.json', vocabularySchema);
  const map = await readPart(files, 'special_tokens_map.json', z.looseObject(specialNames));
  const named = [map, settings].flatMap((file) => [
    ...[file?.bos_token, file?.eos_token, file?.unk_token, file?.pad_token],
    ...[file?.cls_token, file?.sep_token, file?.mask_token],
  ]);
  const specials = [
    ...named,
    ...(settings.additional_special_tokens ?? map?.additional_special_tokens ?? []),
    ...(settings.extra_special_tokens ?? map?.extra_special_tokens ?? []),
  ].filter((token) => token !== null && token !== undefined);
  const isPlain = { single_word: false, lstrip: false, rstrip: false };
  return [
    ...Object.entries(settings.added_tokens_decoder ?? {}).map(([key, token]) => ({
      ...token,
      id: Number(key),
    })),
    ...Object.entries(older ?? {}).map(([content, id]) => ({
      ...{ id, content, ...isPlain, normalized: true, special: false },
    })),
    ...specials.map((token) => {
      const id = vocabulary.get(token.content);
      const own = id !== undefined && { id };
      return { ...isPlain, normalized: false, ...token, special: true, ...own };
    }),
  ];
}

async function readPart<Schema extends z.ZodType>(
  files: ModelFiles,
  name: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const file = await files.read(name);
  return file && checked(schema, await readJson(file), file.name);
}
