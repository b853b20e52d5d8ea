/** What programs need beside the models: configuration, preprocessing and tokenizer, in the words of transformers. */

import { z } from 'zod';
import {
  type ClipConfig,
  type ImagePreprocessing,
  isKnownConfig,
  readTokenizerFiles,
  type TextConfig,
  type TextTokenizer,
} from '../../clip/index.ts';
import {
  checkedValue,
  type ModelFiles,
  parseJsonText,
  type RandomAccess,
  readJson,
} from '../../core/index.ts';
import type { WeightPrecision } from '../../onnx/index.ts';

declare global {
  interface JSON {
    /** ECMAScript 2025's. TypeScript has no type for it yet. */
    rawJSON(text: string): unknown;
  }
}

/** Files by their names: their text or bytes. */
export type FilesBeside = ReadonlyMap<string, string | Uint8Array>;

const limitSchema = z.looseObject({ model_max_length: z.number().nullish() });
const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

type Settings = Readonly<Record<string, unknown>>;

/** The `config.json` of a model that transformers has, or else one of a CLIP, with the sizes that its own has. */
export async function configOf(files: ModelFiles, config: ClipConfig): Promise<Settings> {
  const file = await files.read('config.json');
  if (file && isKnownConfig(await readJson(file), file.name)) return await exactSettings(file);
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

/** What a file says, with its numbers as it writes them: JavaScript makes 1.0 a 1, which Python's transformers refuses. */
async function exactSettings(file: RandomAccess): Promise<Settings> {
  const text = new TextDecoder().decode(await file.read(0, file.size));
  const settings = parseJsonText(text, file.name, (_, value, context) =>
    typeof value === 'number' && context?.source !== undefined ? JSON.rawJSON(context.source) : value,
  );
  return { ...(typeof settings === 'object' && settings) };
}

/** @param filesOfWeights models' files, and how many files with weights each has beside it */
export function configText(
  config: Settings,
  precision: WeightPrecision,
  filesOfWeights: readonly (readonly [name: string, count: number])[],
): string {
  const external = filesOfWeights.filter(([, count]) => count > 0);
  return json({
    ...config,
    // So that transformers.js takes these files without being told, also where it would take 8 bits.
    'transformers.js_config': {
      dtype: precision === 'float32' ? 'fp32' : 'fp16',
      ...(external.length > 0 && { use_external_data_format: Object.fromEntries(external) }),
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

export async function tokenizerFiles(
  files: ModelFiles,
  { endOfText, startOfText, maximum }: TextTokenizer,
  { positions, padding = endOfText }: TextConfig,
): Promise<FilesBeside> {
  const found = new Map<string, string | Uint8Array>();
  // Python's tokenizer of SigLIP reads `spiece.model` alone.
  for (const name of ['tokenizer.json', 'special_tokens_map.json', 'spiece.model']) {
    const own = await files.read(name);
    if (own) found.set(name, await own.read(0, own.size));
  }
  const own = await files.read('tokenizer_config.json');
  if (own) found.set('tokenizer_config.json', await withLimit(own, maximum, positions));
  if (found.has('tokenizer.json') && own) return found;
  const { description, vocabulary, settings } = await readTokenizerFiles(files);
  if (!found.has('tokenizer.json')) found.set('tokenizer.json', json({ version: '1.0', ...description }));
  if (!own) {
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

/** The tokenizer's own settings. Where no limit stands in them that fits the tower, programs would give it longer texts. */
async function withLimit(
  file: RandomAccess,
  maximum: number,
  positions: number,
): Promise<string | Uint8Array> {
  const { model_max_length } = checkedValue(limitSchema, await readJson(file), file.name);
  if (model_max_length && model_max_length <= positions) return await file.read(0, file.size);
  return json({ ...(await exactSettings(file)), model_max_length: maximum });
}
