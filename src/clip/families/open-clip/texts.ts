/** How OpenCLIP prepares texts, as its `open_clip_config.json` says. HTML entities and mojibake stay unchanged. */

import { z } from 'zod';
import { checkedValue, type RandomAccess, readJson } from '../../../core/index.ts';
import type { TextRules } from '../../tokenizing/rules.ts';
import { withoutPunctuation, wordsJoined } from '../../tokenizing/text-cleaning.ts';

const cleaning = {
  whitespace: wordsJoined,
  lower: (text: string) => wordsJoined(text).toLowerCase(),
  canonicalize: (text: string) => wordsJoined(withoutPunctuation(text.replaceAll('_', ' ')).toLowerCase()),
};

const schema = z.looseObject({
  model_cfg: z.looseObject({
    text_cfg: z.looseObject({
      context_length: z.int().positive().default(77),
      hf_tokenizer_name: z.string().nullish(),
      tokenizer_mode: z.null('no mode: the texts of CLIPS have another layout').optional(),
      tokenizer_kwargs: z
        .looseObject({
          clean: z.enum(['lower', 'whitespace', 'canonicalize']).nullish(),
          strip_sep_token: z.boolean().nullish(),
        })
        .nullish(),
    }),
  }),
});

/** @throws LincirError 'bad-file' for rules that nobody knows */
export async function readOpenClipTexts(file: RandomAccess): Promise<TextRules> {
  const { text_cfg } = checkedValue(schema, await readJson(file), file.name).model_cfg;
  const { context_length: positions, hf_tokenizer_name, tokenizer_kwargs } = text_cfg;
  const clean = tokenizer_kwargs?.clean ?? (hf_tokenizer_name ? 'whitespace' : 'lower');
  const endsWithZero = tokenizer_kwargs?.strip_sep_token === true;
  return { positions, clean: cleaning[clean], endsWithZero };
}
