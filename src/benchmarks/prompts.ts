/** Prompts: other wordings of a composed query, and users' own files of prompts. */

import { z } from 'zod';
import { namesImages, withoutPlaces } from '../composition/index.ts';
import { LincirError, listOf, option, quoted } from '../core/index.ts';
import { readJsonFile } from '../files/index.ts';
import type { Prompt } from './benchmark.ts';
import type { EvaluateOptions } from './evaluate.ts';
import { parseAnnotations } from './kinds/annotations.ts';

/** Alternatives to `a photo of $ that {text}`. */
const relative = [
  '$ that {text}',
  'a photo of $, {text}',
  'a photo of $ but {text}',
  'an image of $ that {text}',
  'a picture of $ which {text}',
  '$, {text}',
];

/** Alternatives, by the default prompt that they replace. */
const alternatives: Readonly<Record<string, readonly string[]>> = {
  'a photo of $ that {text}': relative,
  'a photo of $ and {text}': ['$ and {text}', 'a photo of $ with {text}', 'an image of $ and {text}'],
  'a {text} of $': [
    '$, {text}',
    'a photo of $ as a {text}',
    'an image of a {text} of $',
    'a photo of $ that is a {text}',
  ],
};

const fileSchema = listOf(z.string(), 'a list of prompts').refine(
  (prompts) => prompts.length > 0,
  'at least one prompt',
);

/** A user's prompt, in place of the benchmark's. Throws 'bad-argument' unless it has a `$` and one `{text}`. */
export function promptOf(
  composed: string,
  { text }: Prompt,
  subject = option<EvaluateOptions>('prompt'),
): Prompt {
  const count = (part: string) => composed.split(part).length - 1;
  if (namesImages(composed, 1) && count('{text}') === 1) return { composed, text };
  throw new LincirError('bad-argument', {
    subject,
    expected: 'a prompt with $, once or more, for the image, and one {text}',
    found: quoted(composed),
  });
}

/**
 * Prompts to compare with the benchmark's own.
 * @param what `all` for the known alternatives, or a JSON file with a list of prompts
 * @throws LincirError 'not-found', 'io', 'bad-file' and 'bad-argument'
 */
export async function wordingsOf(what: string, own: Prompt): Promise<Prompt[]> {
  if (what === 'all') return (alternatives[own.composed] ?? []).map((composed) => promptOf(composed, own));
  const prompts = parseAnnotations(
    await readJsonFile(what),
    fileSchema,
    what,
    'give a JSON file with a list of prompts, or all',
  );
  return prompts.map((composed) => promptOf(composed, own, what));
}

/** Puts a text into a prompt. A `$` in the text is a dollar sign, not an image. */
export function filled(template: string, text: string): string {
  return template.replace('{text}', () => withoutPlaces(text.trim()));
}
