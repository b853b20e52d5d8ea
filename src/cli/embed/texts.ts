/** Texts to embed or tokenize: from a file or standard input, one text a line. */

import { access, constants } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import { LincirError, quoted } from '../../core/index.ts';
import { asLincirError, fileLines, readLines } from '../../files/index.ts';
import { type Context, Warnings } from '../context.ts';
import type { Input } from './input.ts';

/** Lines, and what messages call them. */
interface TextSource {
  readonly name: string;
  readonly lines: AsyncIterable<string>;
}

/** A file's lines; those of standard input if the path is `-`. Throws 'not-found' or 'io'. */
export async function openTexts(path: string, signal: AbortSignal): Promise<TextSource> {
  if (path !== '-') {
    await access(path, constants.R_OK).catch((error: unknown) => {
      throw asLincirError(error, path, 'read');
    });
    return { name: path, lines: fileLines(path) };
  }
  const name = 'standard input';
  return { name, lines: readLines(addAbortSignal(signal, process.stdin), name) };
}

/**
 * Texts as input of `lincir embed`. An empty line is an empty text, so that row and line numbers agree; a warning says so.
 * @param strict refuse texts that are too long, before work begins, instead of cutting them with a warning
 */
export async function textsInput(
  path: string,
  strict: boolean,
  { reporter, signal }: Context,
): Promise<Input> {
  const source = await openTexts(path, signal);
  return {
    kind: 'texts',
    async *names({ tokenizer }) {
      const empty = new Warnings(reporter, 'lines are empty');
      let line = 0;
      for await (const text of source.lines) {
        line += 1;
        if (text.trim() === '') empty.add(`${source.name}: line ${line} is empty: an empty text is embedded`);
        if (strict && tokenizer.encode(text).truncated) throw tooLong(source, line, text, tokenizer.maximum);
        yield text;
      }
      empty.finish();
    },
    async *batches(clip, work, { normalize }) {
      const { done } = work;
      const cut = new Warnings(reporter, 'texts are cut');
      const onTruncated = (text: string, index: number) =>
        cut.add(cutWarning(source, done + index + 1, text, clip.tokenizer.maximum));
      yield* clip.textBatches(work.namesFrom(done), { normalize, onTruncated });
      cut.finish();
    },
  };
}

export function cutWarning({ name }: TextSource, line: number, text: string, maximum: number): string {
  return `${name}: line ${line} is cut to ${maximum} tokens: ${quoted(text)}`;
}

export function tooLong({ name }: TextSource, line: number, text: string, maximum: number): LincirError {
  return new LincirError('bad-file', {
    subject: `${name}: line ${line}`,
    expected: `at most ${maximum} tokens`,
    found: `more in ${quoted(text)}`,
    todo: 'shorten it, or leave out --strict to cut it',
  });
}
