/** Checks the regular expressions in a tokenizer's file, which may be hostile: only those that take linear time are allowed. */

import { LincirError, quoted } from '../core/index.ts';

const character = String.raw`\\p\{\w+\}|\\.|[^\\[\]()|*+?{}^$.]`;
const atom = String.raw`(?:${character}|\[(?:${character}|[()|*+?{}^$.])*\])`;
const alternative = String.raw`(?:${atom}\??)*(?:${atom}(?:[+*]|\{[1-9],\}))?`;
/** Alternatives that repeat only their last character, as in CLIP's, GPT's and T5's, so that there is one way to match. */
const linear = new RegExp(`^${alternative}(?:\\|${alternative})*$`, 'su');
const longest = 1000;

/** Throws 'bad-file' for a pattern with groups, or with anything after a repetition. */
export function expectLinearPatterns(file: string, ...parts: readonly unknown[]): void {
  const left: unknown[] = [...parts];
  for (let part = left.pop(); left.length > 0 || part !== undefined; part = left.pop()) {
    if (typeof part !== 'object' || part === null) continue;
    for (const [key, value] of Object.entries(part)) {
      left.push(value);
      if (key !== 'Regex' || (typeof value === 'string' && value.length <= longest && linear.test(value)))
        continue;
      throw new LincirError('bad-file', {
        subject: `${file}: Regex`,
        expected: 'alternatives without groups that repeat their last character at most',
        found: quoted(value, 200),
        todo: 'choose the tokenizer of a CLIP model',
      });
    }
  }
}
