/** CLIP's tokenizer, from a model's `tokenizer.json` or from `vocab.json` and `merges.txt`. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { asLincirError, LincirError, quoted, readingFile, readJsonFile } from '../core/index.ts';
import type { TextConfig } from './config.ts';

/** A text as the text tower takes it. */
export interface TokenizedText {
  /** Start and end of text included, at most `maximum`. */
  readonly ids: number[];
  /** Whether the text was longer, and what was too much has been left out before the end of text. */
  readonly truncated: boolean;
}

/** Texts to token ids, as OpenAI's CLIP does it, HTML entities and mojibake excepted: they stay as they are. */
export interface ClipTokenizer {
  readonly startOfText: number;
  readonly endOfText: number;
  /** The most ids a text can have. */
  readonly maximum: number;
  encode(text: string): TokenizedText;
  /** The id of a word that is one token, such as `$` (259 in CLIP's vocabulary); undefined for other words. */
  idOf(word: string): number | undefined;
}

const startToken = '<|startoftext|>';
const endToken = '<|endoftext|>';

/** CLIP's text towers have 77 positions; a config can say otherwise. */
const defaultPositions = 77;
/** The size of the largest `merges.txt` that is read: 30 times that of CLIP's. */
const mergesByteLimit = 2 ** 24;

const id = z.int().nonnegative();
const vocabularySchema = z.record(z.string(), id);
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id, content: z.string() })).default([]),
  model: z.looseObject({
    type: z.literal('BPE'),
    vocab: vocabularySchema,
    // `a b` in files of older libraries, [`a`, `b`] in newer ones.
    merges: z.array(z.string()).or(z.array(z.tuple([z.string(), z.string()]))),
  }),
});

type TokenizerDescription = z.infer<typeof tokenizerSchema>;

/**
 * Reads the tokenizer of the model in `folder`.
 * @param config of the model's text tower: bounds the ids and their number. Without it, texts have at most 77 ids.
 * @throws LincirError 'not-found', 'io', 'bad-file', or 'bad-config' when tokenizer and text tower do not fit.
 */
export async function loadTokenizer(folder: string, config?: TextConfig): Promise<ClipTokenizer> {
  const { file, description } = await readDescription(folder);
  const ids = idsOf(description);
  const special = (token: string): number => {
    const found = ids.get(token);
    if (found !== undefined) return found;
    throw new LincirError('bad-file', {
      subject: file,
      expected: `CLIP's token ${token}`,
      found: `${ids.size} tokens without it`,
      todo: 'choose the tokenizer of a CLIP model',
    });
  };
  const [startOfText, endOfText] = [special(startToken), special(endToken)];
  if (config !== undefined) checkFit(file, ids, endOfText, config);

  const encodeAll = byteLevelEncoder(file, description);
  const maximum = config?.positions ?? defaultPositions;
  const encode = (text: string): TokenizedText => {
    const room = maximum - 2;
    let tokens: readonly number[] = [];
    for (const beginning of beginnings(text)) {
      tokens = encodeAll(beginning);
      if (tokens.length > room) break;
    }
    return { ids: [startOfText, ...tokens.slice(0, room), endOfText], truncated: tokens.length > room };
  };
  const idOf = (word: string): number | undefined => {
    const { ids, truncated } = encode(word);
    return ids.length === 3 && !truncated ? ids[1] : undefined;
  };
  return { startOfText, endOfText, maximum, encode, idOf };
}

/**
 * Ever longer beginnings of a text that end before a space, and the text itself. No token reaches over a space, so the
 * tokens of a beginning are the first ones of the whole text: a long text's end need not be looked at.
 */
function* beginnings(text: string): Generator<string, void, void> {
  for (let length = 2048; length < text.length; length *= 4) {
    const end = text.indexOf(' ', length);
    if (end < 0) break;
    yield text.slice(0, end);
  }
  yield text;
}

/** Text to ids without start and end of text. */
function byteLevelEncoder(file: string, description: TokenizerDescription): (text: string) => number[] {
  try {
    const tokenizer = new Tokenizer(description, {});
    const encodeAll = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
    encodeAll('a'); // Some parts of the description are first looked at here.
    return encodeAll;
  } catch (cause) {
    const found = quoted(cause instanceof Error ? cause.message : String(cause));
    throw new LincirError('bad-file', {
      subject: file,
      expected: 'a tokenizer that can be used',
      found,
      cause,
    });
  }
}

function idsOf({ added_tokens, model }: TokenizerDescription): ReadonlyMap<string, number> {
  return new Map([
    ...Object.entries(model.vocab),
    ...added_tokens.map(({ content, id }) => [content, id] as const),
  ]);
}

function checkFit(
  file: string,
  ids: ReadonlyMap<string, number>,
  endOfText: number,
  config: TextConfig,
): void {
  const refuse = (expected: string, found: string) =>
    new LincirError('bad-config', {
      subject: file,
      expected,
      found,
      todo: 'get tokenizer and weights of one model',
    });
  for (const [token, id] of ids) {
    if (id >= config.vocabulary) {
      throw refuse(`ids below the text tower's ${config.vocabulary} tokens`, `${id} for ${quoted(token)}`);
    }
  }
  if (config.endOfText !== 'largest' && config.endOfText !== endOfText) {
    throw refuse(`the text tower's end of text, id ${config.endOfText}`, `${endOfText} for ${endToken}`);
  }
}

async function readDescription(
  folder: string,
): Promise<{ readonly file: string; readonly description: TokenizerDescription }> {
  const present = await readdir(folder).catch((error: unknown) => {
    throw asLincirError(error, folder, 'read');
  });
  const [whole, vocabulary, merges] = ['tokenizer.json', 'vocab.json', 'merges.txt'] as const;
  if (present.includes(whole)) {
    const file = join(folder, whole);
    return { file, description: checked(tokenizerSchema, await readJsonFile(file), file) };
  }
  if (present.includes(vocabulary) && present.includes(merges)) {
    const file = join(folder, vocabulary);
    const vocab = checked(vocabularySchema, await readJsonFile(file), file);
    return { file, description: clipTokenizer(vocab, await readMerges(join(folder, merges))) };
  }
  throw new LincirError('not-found', {
    subject: folder,
    expected: `${whole}, or ${vocabulary} and ${merges}`,
    found: present.length === 0 ? 'an empty folder' : quoted(present.toSorted().join(', '), 200),
    todo: 'give the folder of a CLIP model in Hugging Face layout',
  });
}

/** A line per merge: two tokens and a space between them. */
async function readMerges(path: string): Promise<[string, string][]> {
  return await readingFile(path, async (file) => {
    const refuse = (subject: string, expected: string, found: string) =>
      new LincirError('bad-file', { subject, expected, found, todo: 'get the file again' });
    if (file.size > mergesByteLimit) {
      throw refuse(path, `at most ${mergesByteLimit} bytes`, `${file.size}`);
    }
    const lines = new TextDecoder().decode(await file.read(0, file.size)).split(/\r?\n/);
    return lines.flatMap((line, index): [string, string][] => {
      if (line === '' || (index === 0 && line.startsWith('#version'))) return [];
      const [left, right, ...rest] = line.split(' ');
      if (left && right && rest.length === 0) return [[left, right]];
      throw refuse(`${path}: line ${index + 1}`, 'two tokens with a space between them', quoted(line));
    });
  });
}

/** What `tokenizer.json` of every published CLIP says, with the given vocabulary and merges. */
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
      return id === undefined ? [] : [{ id, content, special: true, normalized: false }];
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
    found: quoted(`${path.join('.')}: ${message}`, 160),
    cause: result.error,
  });
}
