/** The files of a CLIP model in a repository, and those that a snapshot in the cache lacks. */

import { join } from 'node:path';
import { z } from 'zod';
import { checkedValue, LincirError, quoted, recordOf } from '../core/index.ts';
import { readJsonFile } from '../files/index.ts';
import { type Repository, sizeOf } from './cache.ts';

/** All files besides the weights. A repository may lack some. */
export const smallFiles = [
  'config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'vocab.txt',
] as const;

/** Files that may have the weights, best first. An index names its shards. */
export const weightFiles = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
] as const;

const indexSchema = z.object({ weight_map: recordOf(z.string(), 'a weight_map from tensors to files') });

/** Whether a name in `weightFiles` is an index. */
export function isIndex(name: string): boolean {
  return name.endsWith('.index.json');
}

/** The shards that an index on disk names. They are plain file names, so that none can leave the folder. Throws `bad-file`. */
export async function shardsOf(index: string): Promise<string[]> {
  const refuse = (expected: string, found: string) =>
    new LincirError('bad-file', { subject: index, expected, found });
  const { weight_map } = checkedValue(indexSchema, await readJsonFile(index), index);
  const shards = [...new Set(Object.values(weight_map))];
  const foreign = shards.find((name) => !/^(?=.{1,255}$)\w[\w.-]*\.(safetensors|bin)$/.test(name));
  if (foreign !== undefined) throw refuse('plain names of .safetensors or .bin files', quoted(foreign));
  return shards;
}

/**
 * What a snapshot lacks of a loadable model: `config.json`, `preprocessor_config.json`, a tokenizer, and weights in one
 * format. A file that the repository is known not to have does not count as missing, except weights and configuration.
 */
export async function missingParts(repository: Repository, commit: string): Promise<string[]> {
  const folder = repository.snapshot(commit);
  const has = async (name: string) => (await sizeOf(join(folder, name))) !== undefined;
  const lacks = async (name: string) => (await sizeOf(repository.absence(commit, name))) !== undefined;

  const missing: string[] = [];
  if (!(await has('config.json'))) missing.push('config.json');
  const preprocessing =
    (await has('preprocessor_config.json')) ||
    (await has('processor_config.json')) ||
    (await lacks('preprocessor_config.json'));
  if (!preprocessing) missing.push('preprocessor_config.json');
  const tokenizer =
    (await has('tokenizer.json')) ||
    ((await has('vocab.json')) && (await has('merges.txt'))) ||
    (await has('vocab.txt')) ||
    ((await lacks('tokenizer.json')) && (await lacks('vocab.json')));
  if (!tokenizer) missing.push('tokenizer.json');
  if (!(await hasWeights(folder, has))) missing.push(weightFiles[0]);
  return missing;
}

/** Checks the best format that is there at all, because this one will be loaded. */
async function hasWeights(folder: string, has: (name: string) => Promise<boolean>): Promise<boolean> {
  for (const name of weightFiles) {
    if (!(await has(name))) continue;
    const shards = isIndex(name) ? await shardsOf(join(folder, name)) : [];
    return (await Promise.all(shards.map(has))).every(Boolean);
  }
  return false;
}
