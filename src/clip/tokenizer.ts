/** Tokenizers: turn texts into the text tower's ids. */

import { Tokenizer } from '@huggingface/tokenizers';
import { LincirError, type ModelFiles, quoted, unquoted } from '../core/index.ts';
import type { TextConfig } from './config.ts';
import { endToken, readTokenizerFiles, startToken, type TokenizerDescription } from './tokenizer-files.ts';

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

/** CLIP's text towers have 77 positions, unless the config says otherwise. */
const defaultPositions = 77;

/**
 * Reads the tokenizer among a model's files.
 * @param config of the model's text tower: bounds the ids and their number. Without it, texts have at most 77 ids.
 * @throws LincirError 'not-found', 'io', 'bad-file', or 'bad-config' when tokenizer and text tower do not fit.
 */
export async function loadTokenizer(files: ModelFiles, config?: TextConfig): Promise<TextTokenizer> {
  const { file, description } = await readTokenizerFiles(files, config?.vocabulary);
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
  const encodePart = (text: string): number[] => {
    let tokens: readonly number[] = [];
    for (const beginning of beginnings(text)) {
      tokens = encodeAll(beginning);
      if (tokens.length >= maximum) break;
    }
    return tokens.slice(0, maximum);
  };
  const encode = (text: string): TokenizedText => {
    const room = maximum - 2;
    const tokens = encodePart(text);
    return { ids: [startOfText, ...tokens.slice(0, room), endOfText], truncated: tokens.length > room };
  };
  const idOf = (word: string): number | undefined => {
    const { length, 0: id } = encodePart(word);
    return length === 1 ? id : undefined;
  };
  const placeholder = placeholderForms.map((form) => ids.get(form)).find((id) => id !== undefined);
  return {
    ...{ startOfText, endOfText, maximum, isByWords: true, encode, encodePart, idOf },
    get placeholder() {
      if (placeholder !== undefined) return { word: placeholderWord, id: placeholder };
      throw new LincirError('bad-config', {
        subject: file,
        expected: `a token for the word ${placeholderWord}, where a pseudo token goes`,
        found: `${ids.size} tokens without it`,
        todo: 'choose another model',
      });
    },
  };
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

/** Text to ids without start and end of text. */
function byteLevelEncoder(file: string, description: TokenizerDescription): (text: string) => number[] {
  try {
    const tokenizer = new Tokenizer(description, {});
    keepSingleWords(tokenizer, description);
    const encodeAll = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
    encodeAll('a'); // The library checks some parts of the description only here.
    return encodeAll;
  } catch (cause) {
    const found = unquoted(cause instanceof Error ? cause.message : String(cause));
    throw new LincirError('bad-file', {
      subject: file,
      expected: 'a tokenizer that can be used',
      found,
      cause,
    });
  }
}

/** Characters of a word in Rust's patterns. */
const wordEnd = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const wordStart = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** Turns added tokens with `single_word` inside a word back into text, because the library ignores this flag. */
function keepSingleWords(tokenizer: Tokenizer, { added_tokens }: TokenizerDescription): void {
  if (!added_tokens.some(({ single_word }) => single_word)) return;
  const { splitter_unnormalized, splitter_normalized, normalizer } = tokenizer as unknown as {
    readonly splitter_unnormalized: { split(text: string): string[] };
    readonly splitter_normalized: { split(text: string): string[] };
    readonly normalizer: ((text: string) => string) | null;
  };
  const isSingle = new Map(
    added_tokens.map(({ content, normalized, single_word }) => [
      (normalized && normalizer?.(content)) || content,
      single_word,
    ]),
  );
  for (const splitter of [splitter_unnormalized, splitter_normalized]) {
    const split = splitter.split.bind(splitter);
    splitter.split = (text) => {
      const found = split(text);
      const sections: string[] = [];
      let isAfterText = false;
      for (const [index, section] of found.entries()) {
        const isInside =
          isSingle.get(section) &&
          (wordEnd.test(found[index - 1] ?? '') || wordStart.test(found[index + 1] ?? ''));
        const isText = isInside || !isSingle.has(section);
        if (isText && isAfterText) sections.push(`${sections.pop()}${section}`);
        else sections.push(section);
        isAfterText = isText;
      }
      return sections;
    };
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
  if (typeof config.endOfText === 'number' && config.endOfText !== endOfText) {
    throw refuse(`the text tower's end of text, id ${config.endOfText}`, `${endOfText} for ${endToken}`);
  }
}
