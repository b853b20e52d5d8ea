/** Patterns of a `tokenizer.json`: texts to find, or regular expressions as Rust's libraries write them. */

import { z } from 'zod';
import { LincirError, quoted } from '../../core/index.ts';

export const patternSchema = z.union([
  z.strictObject({ String: z.string().min(1) }),
  z.strictObject({ Regex: z.string().min(1) }),
]);

/** What escapes mean in Rust's patterns, for JavaScript's. */
const escapes: Readonly<Record<string, string>> = {
  ...{
    s: String.raw`\p{White_Space}`,
    S: String.raw`\P{White_Space}`,
    d: String.raw`\p{Nd}`,
    D: String.raw`\P{Nd}`,
  },
  ...{ n: String.raw`\n`, r: String.raw`\r`, t: String.raw`\t`, f: String.raw`\f`, v: String.raw`\v` },
};

/**
 * The pattern for JavaScript.
 * @param pattern one that `expectLinearPatterns` takes
 * @throws LincirError 'bad-file' naming `subject` for one with other meanings in JavaScript
 */
export function regexOf(pattern: z.infer<typeof patternSchema>, subject: string): RegExp {
  if ('String' in pattern) return literal(pattern.String);
  const { Regex: source } = pattern;
  const refused = (cause?: unknown) =>
    new LincirError('bad-file', {
      ...{
        subject,
        expected: 'a regular expression that JavaScript has as well',
        found: quoted(source, 200),
        cause,
      },
      todo: 'choose the tokenizer of another model',
    });
  if (source.includes('&&')) throw refused(); // an intersection of classes
  const translated = source.replaceAll(/\\(p\{\w+\}|.)/gsu, (all, escaped: string) => {
    if (escaped.startsWith('p{')) return all;
    if (/[A-Za-z0-9]/.test(escaped)) return escapes[escaped] ?? all;
    return `\\u{${escaped.codePointAt(0)!.toString(16)}}`;
  });
  try {
    return new RegExp(translated, 'gu');
  } catch (cause) {
    throw refused(cause);
  }
}

/** A pattern that finds exactly this text. */
export function literal(text: string): RegExp {
  return new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gu');
}
