/** An earlier export in a folder: whether it may be replaced, and what of it goes before another one comes. */

import { open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, LincirError, option } from '../../core/index.ts';
import { asLincirError } from '../../files/index.ts';
import { isOurCard } from '../card.ts';
import type { ExportOnnxOptions } from './export.ts';

/** Names of models, and of files with their weights. */
const modelFile = /^(.+\.onnx)(_data(_\d+)?)?$/;
/** Where a model names its maker. */
const beginning = 64;
/** Files that describe the earlier model. Others' programs read each that is there. */
const described = [
  ...['README.md', 'config.json', 'preprocessor_config.json'],
  ...['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'spiece.model'],
];

/** @throws LincirError 'bad-argument' for a folder with files, unless they are an earlier export's and `force` is given */
export async function expectFree(out: string, force: boolean): Promise<void> {
  const names = await readdir(out).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw asLincirError(error, out, 'write');
  });
  if (names.length === 0) return;
  const card = await cardIn(out);
  if (force && (card === undefined || isOurCard(card))) return;
  throw new LincirError('bad-argument', {
    subject: option<ExportOnnxOptions>('out', out),
    expected: 'a new or empty folder',
    found: force ? 'a folder with the README.md of something else' : `a folder with ${names.length} files`,
    todo: force
      ? 'choose another folder'
      : `choose another folder, or replace an earlier export with ${option<ExportOnnxOptions>('force')}`,
  });
}

/** Removes what an earlier export wrote, so that none of its files is taken for one of the next. Others' files stay. */
export async function removeEarlier(out: string): Promise<void> {
  const card = await cardIn(out);
  if (card === undefined || !isOurCard(card)) return;
  const folder = join(out, 'onnx');
  const names = await readdir(folder).catch(() => []);
  const ours = new Set<string>();
  for (const name of names) {
    if (name.endsWith('.onnx') && (await isOurs(join(folder, name)))) ours.add(name);
  }
  const models = names.filter((name) => ours.has(modelFile.exec(name)?.[1] ?? ''));
  const paths = [...models.map((name) => join(folder, name)), ...described.map((name) => join(out, name))];
  for (const path of paths) await rm(path, { force: true });
}

async function cardIn(out: string): Promise<string | undefined> {
  return await readFile(join(out, 'README.md'), 'utf8').catch(() => undefined);
}

async function isOurs(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(beginning), 0, beginning, 0);
  return buffer.subarray(0, bytesRead).includes('lincir');
}
