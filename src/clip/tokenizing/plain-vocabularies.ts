/** Vocabularies without a `tokenizer.json`: `vocab.json` and `merges.txt` of CLIP, and `vocab.txt` of BERT. */

import { LincirError, quoted, type RandomAccess, readJson } from '../../core/index.ts';
import { checked, type TokenizerDescription, vocabularySchema } from './description.ts';

export const startToken = '<|startoftext|>';
export const endToken = '<|endoftext|>';

/** Limit of files with a token or merge a line: 30 times CLIP's. */
const byteLimit = 2 ** 24;

/** How a `tokenizer_config.json` may change BERT's rules. */
export interface BertRules {
  readonly do_lower_case?: boolean | null | undefined;
  readonly strip_accents?: boolean | null | undefined;
  readonly tokenize_chinese_chars?: boolean | null | undefined;
}

/** `tokenizer.json` as every published CLIP has it, with this vocabulary and these merges. */
export async function readClipVocabulary(
  vocabulary: RandomAccess,
  merges: RandomAccess,
): Promise<TokenizerDescription> {
  const vocab = checked(vocabularySchema, await readJson(vocabulary), vocabulary.name);
  return clipTokenizer(vocab, await readMerges(merges));
}

/** `tokenizer.json` as transformers makes it of BERT's vocabulary: a token a line. */
export async function readBertVocabulary(
  file: RandomAccess,
  rules: BertRules,
): Promise<TokenizerDescription> {
  const lines = await readLines(file);
  if (lines.at(-1) === '') lines.pop();
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id]));
  const [cls, sep] = ['[CLS]', '[SEP]'];
  const lowercase = rules.do_lower_case ?? true;
  const { strip_accents = null } = rules;
  return {
    added_tokens: addedTokens(vocab, ['[PAD]', '[UNK]', cls, sep, '[MASK]']),
    normalizer: {
      ...{ type: 'BertNormalizer', clean_text: true, lowercase, strip_accents },
      handle_chinese_chars: rules.tokenize_chinese_chars ?? true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', cls: [cls, vocab[cls]], sep: [sep, vocab[sep]] },
    decoder: null,
    model: {
      ...{ type: 'WordPiece', vocab, unk_token: '[UNK]' },
      ...{ continuing_subword_prefix: '##', max_input_chars_per_word: 100 },
    },
  };
}

async function readLines(file: RandomAccess): Promise<string[]> {
  if (file.size > byteLimit) {
    throw refused(file.name, `at most ${byteLimit} bytes`, `${file.size}`);
  }
  return new TextDecoder().decode(await file.read(0, file.size)).split(/\r?\n/);
}

function refused(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-file', { subject, expected, found, todo: 'get the file again' });
}

function addedTokens(vocab: Readonly<Record<string, number>>, tokens: readonly string[]) {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return tokens.flatMap((content) => {
    const id = vocab[content];
    return id === undefined ? [] : [{ id, content, ...flags }];
  });
}

/** A line per merge: two tokens and a space between them. */
async function readMerges(file: RandomAccess): Promise<[string, string][]> {
  return (await readLines(file)).flatMap((line, index): [string, string][] => {
    if (line === '' || (index === 0 && line.startsWith('#version'))) return [];
    const [left, right, ...rest] = line.split(' ');
    if (left && right && rest.length === 0) return [[left, right]];
    throw refused(`${file.name}: line ${index + 1}`, 'two tokens with a space between them', quoted(line));
  });
}

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
    added_tokens: addedTokens(vocab, [startToken, endToken]),
    normalizer: { type: 'Sequence', normalizers },
    pre_tokenizer: { type: 'Sequence', pretokenizers },
    post_processor: null,
    decoder: null,
    model: {
      ...{ type: 'BPE', vocab: { ...vocab }, merges, unk_token: endToken, end_of_word_suffix: '</w>' },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false },
    },
  };
}
