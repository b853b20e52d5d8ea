/** Which files of a repository are a model's: configuration, tokenizer, and weights in one layout and format. */

import { z } from 'zod';
import { checkedValue, LincirError, quoted, recordOf } from '../core/index.ts';
import type { RemoteFile } from './download.ts';
import type { Listing } from './listing.ts';

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

/** What some repositories have beside `model.safetensors`: the same in float16. */
export const halfWeights = 'model.fp16.safetensors';

/** OpenCLIP's. In its repositories, the other layout's names may be those of a vision tower alone. */
export const openClipLayout: RepositoryLayout = {
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

/** The shards that an index names. They are plain file names, so that none can leave the folder. Throws `bad-file`. */
export function shardsIn(json: unknown, index: string): string[] {
  const { weight_map } = checkedValue(indexSchema, json, index);
  const shards = [...new Set(Object.values(weight_map))];
  const foreign = shards.find((name) => !/^(?=.{1,255}$)\w[\w.-]*\.(safetensors|bin)$/.test(name));
  if (foreign === undefined) return shards;
  throw new LincirError('bad-file', {
    subject: index,
    expected: 'plain names of .safetensors or .bin files',
    found: quoted(foreign),
  });
}

/** Whether this is the `config.json` of a model that lincir has. */
export function isKnownConfig(json: unknown): boolean {
  return configSchema.safeParse(json).success;
}

/**
 * The layouts in which a repository may hold a model, best first: that of transformers, unless its configuration is not of a
 * model that lincir has, and OpenCLIP's is there.
 * @param hasKnownConfig whether `config.json`, which is there, is known
 */
export async function layoutsOf(
  has: (name: string) => boolean | Promise<boolean>,
  hasKnownConfig: () => Promise<boolean>,
): Promise<readonly RepositoryLayout[]> {
  if (!(await has(openClipLayout.config))) return [transformersLayout];
  const isKnown = (await has(transformersLayout.config)) && (await hasKnownConfig());
  return isKnown ? [transformersLayout, openClipLayout] : [openClipLayout];
}

/**
 * The files of a commit that make the model, weights last, in one layout and format.
 * @param read the JSON of a file, which is to be got at once: the choice depends on it
 * @param half whether `halfWeights` are taken where they are
 * @throws LincirError 'not-found' for a repository without a model, and what `read` throws
 */
export async function filesOf(
  id: string,
  listing: Listing,
  read: (file: RemoteFile) => Promise<unknown>,
  half = false,
): Promise<RemoteFile[]> {
  const configs = [transformersLayout.config, openClipLayout.config].filter(listing.has);
  const isKnown = async () =>
    isKnownConfig(await read(listing.file(transformersLayout.config)).catch(nothingIfBad));
  const layouts = await layoutsOf(listing.has, isKnown);
  const whole = layouts
    .filter(({ config }) => listing.has(config))
    .map((layout) => layout.weights.find(listing.has))
    .find((name) => name !== undefined);
  const isHalved = half && whole === transformersLayout.weights[0] && listing.has(halfWeights);
  const weights = isHalved ? halfWeights : whole;
  if (weights === undefined) {
    const names = [...new Set(layouts.flatMap((layout) => layout.weights))];
    throw new LincirError('not-found', {
      subject: id,
      expected: `${layouts.map(({ config }) => config).join(' or ')}, and one of ${names.join(', ')}`,
      found: configs.length > 0 ? 'no such weights' : 'no configuration',
      todo: 'choose a model in the format of transformers or OpenCLIP',
    });
  }
  const files = [...smallFiles.filter(listing.has), weights].map(listing.file);
  if (!isIndex(weights)) return files;
  const index = listing.file(weights);
  return [...files, ...shardsIn(await read(index), index.subject).map(listing.file)];
}

function nothingIfBad(error: unknown): undefined {
  if (!(error instanceof LincirError && error.code === 'bad-file')) throw error;
}
