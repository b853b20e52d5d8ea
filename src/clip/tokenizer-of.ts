/** The tokenizer of a model: its own files', or that of another model where its layout has none. */

import { openModel } from '#models';
import { type DownloadOptions, LincirError, type ModelFiles } from '../core/index.ts';
import type { FoundModel } from './families/family.ts';
import { findModel } from './families/index.ts';
import { loadTokenizer, type TextTokenizer } from './tokenizer.ts';

type TokenizerOptions = Pick<DownloadOptions, 'onProgress' | 'signal'>;

/**
 * The tokenizer of a model's files. A folder with a tokenizer alone will do: the model's configuration only bounds the ids.
 * @throws LincirError as `loadTokenizer` does, and what a download throws
 */
export async function openTokenizer(
  files: ModelFiles,
  options: TokenizerOptions = {},
): Promise<TextTokenizer> {
  return await tokenizerOf(files, await findModel(files), options);
}

/** The same, for a model that has been found. */
export async function tokenizerOf(
  files: ModelFiles,
  model: Pick<FoundModel, 'config' | 'tokenizer'> | undefined,
  options: TokenizerOptions,
): Promise<TextTokenizer> {
  const text = model?.config.text;
  return await loadTokenizer(await tokenizerFilesOf(files, model, options), text);
}

/** The files among which its tokenizer is: its own, or another model's. */
export async function tokenizerFilesOf(
  files: ModelFiles,
  model: Pick<FoundModel, 'tokenizer'> | undefined,
  options: TokenizerOptions = {},
): Promise<ModelFiles> {
  const other = model?.tokenizer;
  if (other === undefined || (await hasTokenizer(files))) return files;
  try {
    return (await openModel(other, { ...options, only: 'tokenizer' })).files;
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (!(cause instanceof LincirError)) throw cause;
    throw new LincirError(cause.code, {
      subject: `${files.name}: its tokenizer`,
      expected: `tokenizer.json beside it, or ${other}'s from the hub`,
      found: `none beside it. ${cause.message}`,
      todo: `put ${other}'s tokenizer.json there, or load the model once with a network`,
      cause,
    });
  }
}

async function hasTokenizer(files: ModelFiles): Promise<boolean> {
  for (const name of ['tokenizer.json', 'vocab.json', 'vocab.txt']) {
    if (await files.read(name)) return true;
  }
  return false;
}
