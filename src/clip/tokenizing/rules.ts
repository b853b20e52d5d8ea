/** How a family prepares texts for its tokenizer, found from the model's files alone. */

import { z } from 'zod';
import { checkedValue, type ModelFiles, readJson } from '../../core/index.ts';
import type { TokenizerSettings } from '../tokenizer-files.ts';
import { lowerCase } from './characters.ts';
import type { Normalizer } from './normalizers.ts';

export interface TextRules {
  /** The most ids of a text, if the text tower's configuration does not say fewer. */
  readonly maximum: number;
  /** What is done to a whole text, before anything else. */
  readonly clean?: Normalizer;
  /** What is done to its parts between added tokens. */
  readonly normalize?: Normalizer;
  /** Whether SentencePiece itself is the reference, not its port in `tokenizers`. */
  readonly isSentencePiece?: boolean;
  /** Whether the tokens around texts are those of `tokenizer.json`, or as named here. */
  readonly ends?: { readonly start: 'none'; readonly end: 'eos' };
  /** Whether id 0 stands for the end of text. */
  readonly endsWithZero?: boolean;
}

/** White space of Python's `str.split` and `\s`. */
const pythonSpaces = /[\p{White_Space}\x1c-\x1f]+/gu;
const punctuation = /[!-/:-@[-`{-~]/g;

const openClipSchema = z.looseObject({
  model_cfg: z.looseObject({
    text_cfg: z.looseObject({
      context_length: z.int().positive().default(77),
      hf_tokenizer_name: z.string().nullish(),
      tokenizer_kwargs: z
        .looseObject({
          clean: z.enum(['lower', 'whitespace', 'canonicalize']).nullish(),
          strip_sep_token: z.boolean().nullish(),
          tokenizer_mode: z.null().optional(),
        })
        .nullish(),
    }),
  }),
});

/** @throws LincirError 'bad-file' for an `open_clip_config.json` with rules that nobody knows */
export async function readTextRules(
  files: ModelFiles,
  settings: TokenizerSettings,
  model: 'BPE' | 'Unigram' | 'WordPiece',
): Promise<TextRules> {
  const type = await modelType(files);
  const openClip = type === undefined ? await files.read('open_clip_config.json') : undefined;
  if (openClip) {
    const config = checkedValue(openClipSchema, await readJson(openClip), openClip.name);
    return openClipRules(config.model_cfg.text_cfg);
  }
  const { tokenizer_class } = settings;
  if (/^siglip/.test(type ?? '') || /^siglip/i.test(tokenizer_class ?? '')) {
    return model === 'Unigram'
      ? { maximum: 64, clean: siglipText, isSentencePiece: true }
      : { maximum: 64, normalize: lowerCase, ends: { start: 'none', end: 'eos' } };
  }
  // The authors' own code has 52 positions, though the tower has 512.
  if (/^chinese_clip/.test(type ?? '')) return { maximum: 52 };
  return { maximum: 77 };
}

function openClipRules(config: z.infer<typeof openClipSchema>['model_cfg']['text_cfg']): TextRules {
  const { context_length: maximum, hf_tokenizer_name, tokenizer_kwargs } = config;
  const clean = tokenizer_kwargs?.clean ?? (hf_tokenizer_name ? 'whitespace' : 'lower');
  return {
    maximum,
    clean: openClipCleaning[clean],
    endsWithZero: tokenizer_kwargs?.strip_sep_token === true,
  };
}

/** OpenCLIP's, except that HTML entities and mojibake stay unchanged. */
const openClipCleaning = {
  whitespace: joinedBySpaces,
  lower: (text: string) => joinedBySpaces(text).toLowerCase(),
  canonicalize: (text: string) =>
    joinedBySpaces(text.replaceAll('_', ' ').replaceAll(punctuation, '').toLowerCase()),
};

/** Lower case, without punctuation: what SigLIP's training saw. */
function siglipText(text: string): string {
  return joinedBySpaces(text.replaceAll('▁', ' ').toLowerCase().replaceAll(punctuation, ''));
}

function joinedBySpaces(text: string): string {
  return text.replaceAll(pythonSpaces, ' ').replace(/^ /, '').replace(/ $/, '');
}

/** The `model_type` of `config.json`. What else is in it is not the tokenizer's business. */
async function modelType(files: ModelFiles): Promise<string | undefined> {
  const file = await files.read('config.json');
  const { data } = z.looseObject({ model_type: z.string() }).safeParse(file && (await readJson(file)));
  return data?.model_type;
}
