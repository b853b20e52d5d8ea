/** What a snapshot in the cache lacks of a model. */

import { join } from 'node:path';
import { readJsonFile } from '../files/index.ts';
import { type Repository, sizeOf } from './cache.ts';
import {
  isIndex,
  isKnownConfig,
  layoutsOf,
  openClipLayout,
  type RepositoryLayout,
  shardsIn,
  transformersLayout,
} from './layouts.ts';

/** Whether a folder holds a model that lincir has, as far as its configuration tells. */
export async function isModel(folder: string): Promise<boolean> {
  return (await hasKnownConfig(folder)) || (await sizeOf(join(folder, openClipLayout.config))) !== undefined;
}

/**
 * What a snapshot lacks of a loadable model: its configuration, in the layout of transformers `preprocessor_config.json`, a
 * tokenizer, and weights in one format. A file that the repository is known not to have does not count as missing, except
 * weights and configuration.
 */
export async function missingParts(repository: Repository, commit: string): Promise<string[]> {
  const folder = repository.snapshot(commit);
  const has = async (name: string) => (await sizeOf(join(folder, name))) !== undefined;
  const lacks = async (name: string) => (await sizeOf(repository.absence(commit, name))) !== undefined;

  const missingIn = async (layout: RepositoryLayout): Promise<string[]> => {
    const missing: string[] = [];
    if (!(await has(layout.config))) missing.push(layout.config);
    const preprocessing =
      layout !== transformersLayout ||
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
    if (!(await hasWeights(folder, layout, has))) missing.push(layout.weights[0]);
    return missing;
  };
  const found = await Promise.all((await layoutsOf(has, () => hasKnownConfig(folder))).map(missingIn));
  return found.find(({ length }) => length === 0) ?? found[0]!;
}

/** Parts in `missingParts` that a tokenizer does not need. */
export const besidesTokenizer: ReadonlySet<string> = new Set([
  ...['preprocessor_config.json', transformersLayout.weights[0], openClipLayout.weights[0]],
]);

async function hasKnownConfig(folder: string): Promise<boolean> {
  const config = await readJsonFile(join(folder, transformersLayout.config)).catch(() => undefined);
  return isKnownConfig(config);
}

/** Checks the best format that is there at all, because this one will be loaded. */
async function hasWeights(
  folder: string,
  { weights }: RepositoryLayout,
  has: (name: string) => Promise<boolean>,
): Promise<boolean> {
  for (const name of weights) {
    if (!(await has(name))) continue;
    const path = join(folder, name);
    const shards = isIndex(name) ? shardsIn(await readJsonFile(path), path) : [];
    return (await Promise.all(shards.map(has))).every(Boolean);
  }
  return false;
}
