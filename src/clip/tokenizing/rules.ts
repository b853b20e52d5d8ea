/** How a family prepares texts for its tokenizer, found from the model's files alone. */

import { z } from 'zod';
import { type ModelFiles, readJson } from '../../core/index.ts';
import { findOpenClipConfig } from '../families/open-clip/index.ts';
import { readOpenClipTexts } from '../families/open-clip/texts.ts';
import { siglip2Texts, siglipTexts } from '../families/siglip/texts.ts';
import type { TokenizerFiles } from '../tokenizer-files.ts';
import type { Normalizer } from './normalizers.ts';

export interface TextRules {
  /** The most ids of a text, unless the configuration of the text tower says it. */
  readonly positions: number;
  /** The most ids of a text, though the text tower has room for more. */
  readonly limit?: number;
  /** What is done to a whole text, before anything else. */
  readonly clean?: Normalizer;
  /** What is done to its parts between added tokens. */
  readonly normalize?: Normalizer;
  /** Whether SentencePiece itself is the reference, not its port in `tokenizers`. */
  readonly isSentencePiece?: boolean;
  /** Which tokens stand around texts. Absent: those that the files name. */
  readonly ends?: { readonly start: 'none'; readonly end: 'eos' };
  /** Whether id 0 stands for the end of text. */
  readonly endsWithZero?: boolean;
}

/** The authors of Chinese-CLIP use 52 of the 512 positions that BERT's tower has. */
const chineseClipTexts: TextRules = { positions: 52, limit: 52 };
const clipTexts: TextRules = { positions: 77 };

/** @throws LincirError 'bad-file' for an `open_clip_config.json` with rules that nobody knows */
export async function readTextRules(
  files: ModelFiles,
  { settings, description }: TokenizerFiles,
): Promise<TextRules> {
  const openClip = await findOpenClipConfig(files);
  if (openClip) return await readOpenClipTexts(openClip.file);
  // A folder may have a tokenizer alone.
  const family = (await modelType(files)) ?? settings.tokenizer_class?.toLowerCase() ?? '';
  if (family.startsWith('siglip')) return description.model.type === 'Unigram' ? siglipTexts : siglip2Texts;
  return family.startsWith('chinese_clip') ? chineseClipTexts : clipTexts;
}

/** The `model_type` of `config.json`. What else is in it is not the tokenizer's business. */
async function modelType(files: ModelFiles): Promise<string | undefined> {
  const file = await files.read('config.json');
  const { data } = z.looseObject({ model_type: z.string() }).safeParse(file && (await readJson(file)));
  return data?.model_type;
}
