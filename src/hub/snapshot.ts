/** The files of a model in a repository, and those that a snapshot in the cache lacks. */

import { join } from 'node:path';
import { z } from 'zod';
import { checkedValue, LincirError, quoted, recordOf } from '../core/index.ts';
import { readJsonFile } from '../files/index.ts';
import { type Repository, sizeOf } from './cache.ts';

/** All files besides the weights. A repository may lack some. */
export const smallFiles = [
  'config.json',
  'open_clip_config.json',
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

/** A way to lay out a model's files. */
export interface RepositoryLayout {
  readonly config: (typeof smallFiles)[number];
  /** Files that may have the weights, best first. An index names its shards. */
  readonly weights: readonly [string, ...string[]];
}

/** The layout of transformers. */
export const transformersLayout: RepositoryLayout = {
  config: 'config.json',
  weights: [
    'model.safetensors',
    'model.safetensors.index.json',
    'pytorch_model.bin',
    'pytorch_model.bin.index.json',
  ],
};

/** OpenCLIP's. In its repositories, the other layout's names may be those of a vision tower alone. */
const openClipLayout: RepositoryLayout = {
  config: 'open_clip_config.json',
  weights: [
    'open_clip_model.safetensors',
    'open_clip_model.safetensors.index.json',
    'open_clip_pytorch_model.bin',
    'open_clip_pytorch_model.bin.index.json',
    ...transformersLayout.weights,
  ],
};

/** Values of `model_type` in the `config.json` of models that lincir has: those of the families of `clip`, as a test checks. */
export const modelTypes: readonly string[] = [
  ...['clip', 'clip_text_model', 'clip_vision_model'],
  ...['siglip', 'siglip_text_model', 'siglip_vision_model'],
  ...['metaclip_2', 'metaclip_2_text_model', 'metaclip_2_vision_model'],
  'chinese_clip',
];

const indexSchema = z.object({ weight_map: recordOf(z.string(), 'a weight_map from tensors to files') });
const configSchema = z.object({ model_type: z.enum(modelTypes) });

/** Whether a name in a layout's `weights` is an index. */
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
 * The layouts in which a repository may hold a model, best first: that of transformers, unless its configuration is not of a
 * model that lincir has, and OpenCLIP's is there.
 * @param folder that has the configurations which `has` says are there
 */
export async function layoutsOf(
  folder: string,
  has: (name: string) => boolean | Promise<boolean>,
): Promise<readonly RepositoryLayout[]> {
  if (!(await has(openClipLayout.config))) return [transformersLayout];
  const isKnown = (await has(transformersLayout.config)) && (await hasKnownConfig(folder));
  return isKnown ? [transformersLayout, openClipLayout] : [openClipLayout];
}

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
  const found = await Promise.all((await layoutsOf(folder, has)).map(missingIn));
  return found.find(({ length }) => length === 0) ?? found[0]!;
}

/** Parts in `missingParts` that a tokenizer does not need. */
export const besidesTokenizer: ReadonlySet<string> = new Set([
  ...['preprocessor_config.json', transformersLayout.weights[0], openClipLayout.weights[0]],
]);

async function hasKnownConfig(folder: string): Promise<boolean> {
  const config = await readJsonFile(join(folder, transformersLayout.config)).catch(() => undefined);
  return configSchema.safeParse(config).success;
}

/** Checks the best format that is there at all, because this one will be loaded. */
async function hasWeights(
  folder: string,
  { weights }: RepositoryLayout,
  has: (name: string) => Promise<boolean>,
): Promise<boolean> {
  for (const name of weights) {
    if (!(await has(name))) continue;
    const shards = isIndex(name) ? await shardsOf(join(folder, name)) : [];
    return (await Promise.all(shards.map(has))).every(Boolean);
  }
  return false;
}
