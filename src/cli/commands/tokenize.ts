/** `lincir tokenize`: turns lines of standard input into lines of token ids. */

import { pipeline } from 'node:stream/promises';
import { openTokenizer } from '../../clip/index.ts';
import { openModel } from '../../hub/index.ts';
import { type Context, downloadBar, Warnings } from '../context.ts';
import { cutWarning, openTexts, tooLong } from '../embed/texts.ts';

interface TokenizeOptions {
  readonly model: string;
  /** Refuse texts that are too long. */
  readonly strict?: boolean;
}

export async function tokenize({ model, strict }: TokenizeOptions, context: Context): Promise<void> {
  const { reporter, signal } = context;
  const onProgress = downloadBar(reporter, model);
  const { files } = await openModel(model, { only: 'tokenizer', onProgress, signal });
  const tokenizer = await openTokenizer(files, { onProgress, signal });
  reporter.end();
  const source = await openTexts('-', signal);
  const cut = new Warnings(reporter, 'texts are cut');
  const lists = async function* (): AsyncGenerator<string, void, void> {
    let line = 0;
    for await (const text of source.lines) {
      line += 1;
      const { ids, truncated } = tokenizer.encode(text);
      if (truncated && strict) throw tooLong(source, line, text, tokenizer.maximum);
      if (truncated) cut.add(cutWarning(source, line, text, tokenizer.maximum));
      yield `[${ids.join(', ')}]\n`;
    }
  };
  await pipeline(lists, process.stdout, { end: false });
  cut.finish();
}
