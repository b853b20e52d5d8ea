/** `lincir tokenize`: lines of standard input to lines of token ids. */

import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { loadTokenizer, readClipConfig } from '../../clip/index.ts';
import { LincirError } from '../../core/index.ts';
import { readJsonFile } from '../../files/index.ts';
import { resolveModel } from '../../hub/index.ts';
import { type Context, downloadBar, Warnings } from '../context.ts';
import { cutWarning, openTexts, tooLong } from '../embed/texts.ts';

export interface TokenizeOptions {
  readonly model: string;
  /** Refuse texts that are too long. */
  readonly strict?: boolean;
}

export async function tokenize({ model, strict }: TokenizeOptions, context: Context): Promise<void> {
  const { reporter, signal } = context;
  const onProgress = downloadBar(reporter, model);
  const { folder } = await resolveModel(model, { only: 'tokenizer', onProgress, signal });
  reporter.end();
  const tokenizer = await loadTokenizer(folder, await textConfigOf(folder));
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

/** A tokenizer's folder need not have a `config.json`, which only bounds the ids. */
async function textConfigOf(folder: string) {
  const file = join(folder, 'config.json');
  try {
    return readClipConfig(await readJsonFile(file), file).text;
  } catch (error) {
    if (error instanceof LincirError && error.code === 'not-found') return undefined;
    throw error;
  }
}
