/** Normalizers of a `tokenizer.json`, as Rust's library `tokenizers` has them. */

import { z } from 'zod';
import { checkedValue, LincirError } from '../../core/index.ts';
import { bertControls, bertIdeographs, bertMarks, lowerCase, whiteSpace } from './characters.ts';
import { type CharsmapWay, readCharsmap } from './charsmap.ts';
import { patternSchema, regexOf } from './patterns.ts';

export type Normalizer = (text: string) => string;

const sequence = z.looseObject({ type: z.literal('Sequence'), normalizers: z.array(z.unknown()).max(256) });
const flag = z.boolean().default(true);
const short = z.string().max(256);
const schema = z.discriminatedUnion(
  'type',
  [
    sequence,
    z.looseObject({ type: z.literal('Precompiled'), precompiled_charsmap: z.string().nullish() }),
    z.looseObject({ type: z.literal('Replace'), pattern: patternSchema, content: short }),
    z.looseObject({ type: z.literal('Strip'), strip_left: flag, strip_right: flag }),
    z.looseObject({ type: z.literal('Prepend'), prepend: short }),
    z.looseObject({
      ...{ type: z.literal('BertNormalizer'), clean_text: flag, handle_chinese_chars: flag, lowercase: flag },
      strip_accents: z.boolean().nullish(),
    }),
    z.looseObject({ type: z.enum(['Lowercase', 'NFC', 'NFD', 'NFKC', 'NFKD', 'StripAccents']) }),
  ],
  'a normalizer that lincir knows',
);

/**
 * Makes a text's normalizer.
 * @param description the file's `normalizer`; null for none
 * @param way how its charsmaps are read
 * @throws LincirError 'bad-file' naming `subject` for one that nobody knows
 */
export function normalizerOf(description: unknown, way: CharsmapWay, subject: string): Normalizer {
  if (description === null) return (text) => text;
  const found = checkedValue(schema, description, subject);
  switch (found.type) {
    case 'Sequence': {
      const parts = found.normalizers.map((part) => normalizerOf(part, way, subject));
      return (text) => parts.reduce((normalized, part) => bounded(part(normalized), text, subject), text);
    }
    case 'Precompiled': {
      const { precompiled_charsmap: charsmap } = found;
      return charsmap ? readCharsmap(charsmap, way, `${subject}: precompiled_charsmap`) : (text) => text;
    }
    case 'Replace': {
      const pattern = regexOf(found.pattern, subject);
      return (text) => text.replaceAll(pattern, () => found.content);
    }
    case 'Strip': {
      const [left, right] = [
        found.strip_left ? stripLeft : undefined,
        found.strip_right ? stripRight : undefined,
      ];
      return (text) => [left, right].reduce((stripped, strip) => strip?.(stripped) ?? stripped, text);
    }
    case 'Prepend':
      return (text) => (text === '' ? text : found.prepend + text);
    case 'BertNormalizer':
      return bertNormalizer(found);
    case 'Lowercase':
      return lowerCase;
    case 'StripAccents':
      return (text) => text.replaceAll(/\p{M}/gu, '');
    default:
      return (text) => text.normalize(found.type);
  }
}

/** Several normalizers could each make a text longer. What Unicode's own do is a factor of 18. */
function bounded(normalized: string, text: string, subject: string): string {
  if (normalized.length <= 1024 + 64 * text.length) return normalized;
  throw new LincirError('bad-file', {
    subject,
    expected: 'texts that become at most 64 times as long',
    found: `${normalized.length} characters of ${text.length}`,
  });
}

function bertNormalizer(options: {
  readonly clean_text: boolean;
  readonly handle_chinese_chars: boolean;
  readonly strip_accents?: boolean | null | undefined;
  readonly lowercase: boolean;
}): Normalizer {
  const { clean_text, handle_chinese_chars, lowercase } = options;
  const strips = options.strip_accents ?? lowercase;
  return (text) => {
    let found = text;
    if (clean_text) found = found.replaceAll(bertControls, '').replaceAll(spaces, ' ');
    if (handle_chinese_chars) found = found.replaceAll(bertIdeographs, ' $& ');
    if (strips) found = found.normalize('NFD').replaceAll(bertMarks, '');
    return lowercase ? lowerCase(found) : found;
  };
}

const spaces = new RegExp(whiteSpace, 'gu');
const isSpace = new RegExp(whiteSpace, 'u');

function stripLeft(text: string): string {
  let begin = 0;
  while (begin < text.length && isSpace.test(text[begin]!)) begin += 1;
  return text.slice(begin);
}

function stripRight(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace.test(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}
