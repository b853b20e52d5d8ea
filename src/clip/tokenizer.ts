/** Tokenizers: turn texts into the text tower's ids. */

import { LincirError, type ModelFiles, quoted } from '../core/index.ts';
import type { TextConfig } from './config.ts';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.ts';
import type { TokenizerDescription } from './tokenizing/description.ts';
import { textEnds } from './tokenizing/ends.ts';
import { tokenizingPipeline } from './tokenizing/pipeline.ts';
import { endToken, startToken } from './tokenizing/plain-vocabularies.ts';
import { splitsAtSpaces } from './tokenizing/pre-tokenizers.ts';
import { readTextRules, type TextRules } from './tokenizing/rules.ts';

/** A tokenized text. */
interface TokenizedText {
  /** With start and end of text, at most `maximum`. Without padding. */
  readonly ids: number[];
  /** Whether the text was too long, and has been cut before the end of text. */
  readonly truncated: boolean;
}

/** The word in whose place a pseudo token stands. */
export const placeholderWord = '$' as const;

/** Tokenizes texts as a model's authors do, except that HTML entities and mojibake stay unchanged. */
export interface TextTokenizer {
  /** The id with which every text begins; undefined where texts begin with their first word. */
  readonly startOfText: number | undefined;
  readonly endOfText: number;
  /** The most ids a text can have. */
  readonly maximum: number;
  /** Marks where a pseudo token's vector goes. Throws LincirError 'bad-config' if the vocabulary has no such word. */
  readonly placeholder: { readonly word: typeof placeholderWord; readonly id: number };
  /** Whether a text's ids are those of its words: no token crosses white space. */
  readonly isByWords: boolean;
  encode(text: string): TokenizedText;
  /** The ids of a text without start and end of text: at most `maximum`, which is more than there is room for. */
  encodePart(text: string): number[];
  /** The id of a word that is one token, such as `$` (259 in CLIP's vocabulary); undefined for other words. */
  idOf(word: string): number | undefined;
}

/** How vocabularies spell the placeholder, as a word of its own if they can. */
const placeholderForms = [`${placeholderWord}</w>`, `▁${placeholderWord}`, placeholderWord];

/**
 * Reads the tokenizer among a model's files.
 * @param config of the model's text tower: bounds the ids and their number. Without it, texts have at most 77 ids.
 * @throws LincirError 'not-found', 'io', 'bad-file', or 'bad-config' when tokenizer and text tower do not fit.
 */
export async function loadTokenizer(files: ModelFiles, config?: TextConfig): Promise<TextTokenizer> {
  const read = await readTokenizerFiles(files, config?.vocabulary);
  const { file, description } = read;
  const rules = await readTextRules(files, read);
  const isClip = isClipModel(read);
  const { startOfText, endOfText } = (isClip ? clipEnds : fileEnds)(read, rules);
  if (config !== undefined) checkFit(read, endOfText, config);

  const encodeAll = pipelineOf(read, rules);
  const maximum = Math.min(config?.positions ?? rules.positions, rules.limit ?? Infinity);
  const room = maximum - (startOfText === undefined ? 1 : 2);
  const encodePart = (text: string): number[] => {
    let tokens: readonly number[] = [];
    for (const beginning of beginnings(text)) {
      tokens = encodeAll(rules.clean?.(beginning) ?? beginning);
      if (tokens.length >= maximum) break;
    }
    return tokens.slice(0, maximum);
  };
  const encode = (text: string): TokenizedText => {
    const tokens = encodePart(text);
    const start = startOfText === undefined ? [] : [startOfText];
    return { ids: [...start, ...tokens.slice(0, room), endOfText], truncated: tokens.length > room };
  };
  const idOf = (word: string): number | undefined => {
    const { length, 0: id } = encodePart(word);
    return length === 1 ? id : undefined;
  };
  const placeholder = placeholderForms.map((form) => idIn(read, form)).find((id) => id !== undefined);
  const isByWords = isClip || splitsByWords(description);
  return {
    ...{ startOfText, endOfText, maximum, isByWords, encode, encodePart, idOf },
    get placeholder() {
      if (placeholder !== undefined) return { word: placeholderWord, id: placeholder };
      throw new LincirError('bad-config', {
        subject: file,
        expected: `a token for the word ${placeholderWord}, where a pseudo token goes`,
        found: 'none',
        todo: 'choose another model',
      });
    },
  };
}

/** Whether a tokenizer has CLIP's byte pairs. None of their tokens crosses white space. */
function isClipModel(files: TokenizerFiles): boolean {
  const { model } = files.description;
  if (model.type !== 'BPE') return false;
  const hasEnds = () => [startToken, endToken].every((token) => idIn(files, token) !== undefined);
  return model.end_of_word_suffix === '</w>' || hasEnds();
}

/** The id of a token, as a text has it. */
function idIn({ description, vocabulary }: TokenizerFiles, token: string): number | undefined {
  return description.added_tokens.findLast(({ content }) => content === token)?.id ?? vocabulary.get(token);
}

function clipEnds(files: TokenizerFiles): { startOfText: number; endOfText: number } {
  const [startOfText, endOfText] = [startToken, endToken].map((token) => {
    const found = idIn(files, token);
    if (found !== undefined) return found;
    throw new LincirError('bad-file', {
      subject: files.file,
      expected: `CLIP's token ${token}`,
      found: 'a vocabulary without it',
      todo: 'choose the tokenizer of a CLIP model',
    });
  }) as [number, number];
  return { startOfText, endOfText };
}

/** The tokens around texts as the files say. */
function fileEnds(
  files: TokenizerFiles,
  rules: TextRules,
): { startOfText: number | undefined; endOfText: number } {
  const { file, description, settings } = files;
  const { start, end } = textEnds(description.post_processor, `${file}: post_processor`);
  const { bos_token, eos_token, add_bos_token, add_eos_token } = settings;
  const bos = idIn(files, bos_token?.content ?? '<bos>');
  const eos = idIn(files, eos_token?.content ?? '<eos>');
  const starts = rules.ends ? false : add_bos_token;
  const ends = rules.ends ? true : add_eos_token;
  const startOfText = typeof starts === 'boolean' ? (starts ? bos : undefined) : start;
  const endOfText = rules.endsWithZero ? 0 : ends === true ? eos : end;
  if (endOfText !== undefined) return { startOfText, endOfText };
  throw new LincirError('bad-file', {
    subject: file,
    expected: 'a token that ends every text',
    found: 'none in post_processor',
    todo: 'choose the tokenizer of a model that embeds texts',
  });
}

function pipelineOf(files: TokenizerFiles, rules: TextRules): (text: string) => number[] {
  const { file, description, vocabulary } = files;
  const { model } = description;
  const { normalize: clean, isSentencePiece = false } = rules;
  const prefix = model.type === 'BPE' && model.continuing_subword_prefix;
  if (!prefix) return tokenizingPipeline(description, vocabulary, { clean, isSentencePiece }, file);
  throw new LincirError('bad-file', {
    subject: `${file}: model`,
    expected: 'byte pairs without a prefix inside words',
    found: quoted(prefix),
  });
}

/** Whether each word of a text is tokenized by itself. */
function splitsByWords({ pre_tokenizer, added_tokens }: TokenizerDescription): boolean {
  return splitsAtSpaces(pre_tokenizer) && !added_tokens.some(({ content }) => /\s/.test(content));
}

/**
 * Ever longer beginnings of a text that end before a space, and then the text itself. No token crosses a space, so the
 * tokens of a beginning are the first ones of the whole text. The end of a long text need not be read.
 */
function* beginnings(text: string): Generator<string, void, void> {
  for (let length = 2048; length < text.length; length *= 4) {
    const end = text.indexOf(' ', length);
    if (end < 0) break;
    yield text.slice(0, end);
  }
  yield text;
}

function checkFit(files: TokenizerFiles, endOfText: number, config: TextConfig): void {
  const { file, description, vocabulary, settings } = files;
  const refuse = (expected: string, found: string) =>
    new LincirError('bad-config', {
      subject: file,
      expected,
      found,
      todo: 'get tokenizer and weights of one model',
    });
  const expectFit = (id: number, token: string) => {
    if (id < config.vocabulary) return;
    throw refuse(`ids below the text tower's ${config.vocabulary} tokens`, `${id} for ${quoted(token)}`);
  };
  vocabulary.forEach(expectFit);
  for (const { id, content } of description.added_tokens) expectFit(id, content);
  if (typeof config.endOfText === 'number' && config.endOfText !== endOfText) {
    throw refuse(`the text tower's end of text, id ${config.endOfText}`, `${endOfText}`);
  }
  // A tower that sees padding has learnt it. OpenCLIP fills up CLIP's texts otherwise than their tokenizer says.
  const pad = settings.pad_token && idIn(files, settings.pad_token.content);
  if (
    config.attention === 'everywhere' &&
    !isClipModel(files) &&
    pad !== undefined &&
    pad !== config.padding
  ) {
    throw refuse(`the id ${config.padding} to fill up texts, which the text tower has learnt`, `${pad}`);
  }
}
