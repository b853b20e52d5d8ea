/** What programs need beside the models: configuration, preprocessing and tokenizer, in the words of transformers. */

import {
  type ClipConfig,
  type ImagePreprocessing,
  isKnownConfig,
  readTokenizerFiles,
  type TextTokenizer,
} from '../../clip/index.ts';
import { type ModelFiles, readJson } from '../../core/index.ts';

/** Files by their names: their text or bytes. */
export type FilesBeside = ReadonlyMap<string, string | Uint8Array>;

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** The `config.json` of a model that transformers has, or else one of a CLIP, with the sizes that its own has. */
export async function configOf(
  files: ModelFiles,
  config: ClipConfig,
): Promise<Readonly<Record<string, unknown>>> {
  const file = await files.read('config.json');
  const found: unknown = file && (await readJson(file));
  if (file && typeof found === 'object' && found !== null && isKnownConfig(found, file.name))
    return { ...found };
  const { text, vision } = config;
  const sizes = (tower: NonNullable<typeof text | typeof vision>) => ({
    ...{ hidden_size: tower.width, intermediate_size: tower.feedForward },
    ...{ num_hidden_layers: tower.layers, num_attention_heads: tower.heads },
  });
  return {
    ...{ model_type: 'clip', projection_dim: (text ?? vision)?.projection },
    ...(text && {
      text_config: { ...sizes(text), vocab_size: text.vocabulary, max_position_embeddings: text.positions },
    }),
    ...(vision && {
      vision_config: { ...sizes(vision), image_size: vision.imageSize, patch_size: vision.patchSize },
    }),
  };
}

/** @param withData models whose weights are in a file beside them, by their files' names */
export function configText(
  config: Readonly<Record<string, unknown>>,
  precision: 'float32' | 'float16',
  withData: readonly string[],
): string {
  const external = Object.fromEntries(withData.map((name) => [name, true]));
  return json({
    ...config,
    // So that transformers.js takes these files without being told, also where it would take 8 bits.
    'transformers.js_config': {
      dtype: precision === 'float32' ? 'fp32' : 'fp16',
      ...(withData.length > 0 && { use_external_data_format: external }),
    },
  });
}

export async function preprocessingFiles(
  files: ModelFiles,
  { resize, filter, crop, scale, mean, deviation }: ImagePreprocessing,
): Promise<FilesBeside> {
  const name = 'preprocessor_config.json';
  const own = await files.read(name);
  if (own) return new Map([[name, await own.read(0, own.size)]]);
  const config = {
    image_processor_type: 'CLIPImageProcessor',
    do_convert_rgb: true,
    do_resize: resize !== undefined,
    ...(resize && { size: 'shortSide' in resize ? { shortest_edge: resize.shortSide } : resize }),
    resample: filter === 'bicubic' ? 3 : 2,
    do_center_crop: true,
    crop_size: crop,
    ...{
      do_rescale: true,
      rescale_factor: scale,
      do_normalize: true,
      image_mean: mean,
      image_std: deviation,
    },
  };
  return new Map([[name, json(config)]]);
}

/** @param padding the id that fills up texts */
export async function tokenizerFiles(
  files: ModelFiles,
  { endOfText, startOfText, maximum }: TextTokenizer,
  padding: number,
): Promise<FilesBeside> {
  const found = new Map<string, string | Uint8Array>();
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json']) {
    const own = await files.read(name);
    if (own) found.set(name, await own.read(0, own.size));
  }
  if (found.has('tokenizer.json') && found.has('tokenizer_config.json')) return found;
  const { description, vocabulary, settings } = await readTokenizerFiles(files);
  if (!found.has('tokenizer.json')) found.set('tokenizer.json', json({ version: '1.0', ...description }));
  if (!found.has('tokenizer_config.json')) {
    const tokenOf = (id: number | undefined) =>
      description.added_tokens.find((token) => token.id === id)?.content ??
      [...vocabulary].find(([, known]) => known === id)?.[0];
    const isClip = description.model.type === 'BPE' && description.model.end_of_word_suffix === '</w>';
    const config = {
      tokenizer_class: settings.tokenizer_class ?? (isClip ? 'CLIPTokenizer' : 'PreTrainedTokenizerFast'),
      model_max_length: maximum,
      ...(startOfText !== undefined && { bos_token: tokenOf(startOfText) }),
      ...{ eos_token: tokenOf(endOfText), pad_token: tokenOf(padding) },
    };
    found.set('tokenizer_config.json', json(config));
  }
  return found;
}
