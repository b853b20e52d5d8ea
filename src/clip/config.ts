/** CLIP's shape, read from a model's `config.json`. */

import { z } from 'zod';
import { LincirError, type ModelFiles, quoted, readJson, shortJson } from '../core/index.ts';

type Activation = 'quick_gelu' | 'gelu';

/** Shape of a tower's transformer. */
export interface TowerConfig {
  /** Width of the hidden states. */
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Width of the feed-forward layers. */
  readonly feedForward: number;
  readonly activation: Activation;
  readonly epsilon: number;
  /** Dimensions of the embedding space that both towers share. */
  readonly projection: number;
}

export interface TextConfig extends TowerConfig {
  readonly vocabulary: number;
  readonly positions: number;
  /** The end-of-text id, or 'largest': the largest id of a text marks its end. */
  readonly endOfText: number | 'largest';
}

export interface VisionConfig extends TowerConfig {
  /** Side of the square image, in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly channels: number;
}

/** A checkpoint has one tower or both. */
export interface ClipConfig {
  readonly text: TextConfig | undefined;
  readonly vision: VisionConfig | undefined;
}

const size = z.int('a whole number').min(1, 'at least 1').max(1_000_000, 'at most 1,000,000');
const activation = z.enum(['quick_gelu', 'gelu'], '"quick_gelu" or "gelu"');
const epsilon = z.number('a number').positive('a number above 0').max(1, 'a number up to 1');

const tokenId = z.int('a token id').nonnegative('a token id');

/** Defaults of transformers' CLIPTextConfig. Configs leave out values that equal them. */
const textSchema = z
  .looseObject({
    hidden_size: size.default(512),
    num_attention_heads: size.default(8),
    num_hidden_layers: size.default(12),
    intermediate_size: size.default(2048),
    hidden_act: activation.default('quick_gelu'),
    layer_norm_eps: epsilon.default(1e-5),
    projection_dim: size.default(512),
    vocab_size: size.default(49408),
    max_position_embeddings: size.default(77),
    eos_token_id: z
      .preprocess((id) => (Array.isArray(id) && id.length === 1 ? id[0] : id), tokenId)
      .default(49407),
  })
  .transform(
    (config): TextConfig => ({
      ...tower(config),
      vocabulary: config.vocab_size,
      positions: config.max_position_embeddings,
      // Configs from before transformers 4.31 always say 2, and mean the largest id.
      endOfText: config.eos_token_id === 2 ? 'largest' : config.eos_token_id,
    }),
  );

const visionSchema = z
  .looseObject({
    hidden_size: size.default(768),
    num_attention_heads: size.default(12),
    num_hidden_layers: size.default(12),
    intermediate_size: size.default(3072),
    hidden_act: activation.default('quick_gelu'),
    layer_norm_eps: epsilon.default(1e-5),
    projection_dim: size.default(512),
    image_size: size.default(224),
    patch_size: size.default(32),
    num_channels: size.default(3),
  })
  .transform(
    (config): VisionConfig => ({
      ...tower(config),
      imageSize: config.image_size,
      patchSize: config.patch_size,
      channels: config.num_channels,
    }),
  );

const object = z.record(z.string(), z.unknown(), 'an object');
const familySchema = z.looseObject({ model_type: z.string('a name').nullish() }, 'an object');
const wholeSchema = z.looseObject({
  projection_dim: size.default(512),
  text_config: object.nullish(),
  text_config_dict: object.nullish(),
  vision_config: object.nullish(),
  vision_config_dict: object.nullish(),
});

/** Reads the `config.json` among a model's files; undefined if there is none. Throws as `readClipConfig` does. */
export async function readConfigOf(files: ModelFiles): Promise<ClipConfig | undefined> {
  const file = await files.read('config.json');
  return file && readClipConfig(await readJson(file), file.name);
}

/**
 * Reads a CLIP model's configuration.
 * @param json the parsed `config.json`
 * @param file its path, for messages
 * @throws LincirError 'bad-config' for another family of models or a value out of range.
 */
export function readClipConfig(json: unknown, file: string): ClipConfig {
  const { model_type, text_config, vision_config } = parse(familySchema, json, file);
  // transformers' classes for CLIP need no name; other families' configurations always have theirs.
  const family = model_type ?? (isObject(text_config) || isObject(vision_config) ? 'clip' : undefined);
  if (family === 'clip_text_model')
    return { text: checked(parse(textSchema, json, file), file), vision: undefined };
  if (family === 'clip_vision_model') {
    return { text: undefined, vision: checked(parse(visionSchema, json, file), file) };
  }
  if (family !== 'clip') {
    throw new LincirError('bad-config', {
      subject: `${file}: model_type`,
      expected: 'clip, clip_text_model or clip_vision_model',
      found: family === undefined ? 'none' : quoted(family),
      todo: 'choose a CLIP checkpoint in Hugging Face layout',
    });
  }
  const whole = parse(wholeSchema, json, file);
  // Older configs were made from the `_dict` twins. transformers lets them win, with defaults for what they leave out. The
  // projection of the whole model counts, because several published text_configs have a wrong one.
  const part = (plain: unknown, twin: unknown): object => ({
    ...(twin ?? plain ?? {}),
    projection_dim: whole.projection_dim,
  });
  return {
    text: checked(
      parse(textSchema, part(whole.text_config, whole.text_config_dict), file, 'text_config'),
      file,
    ),
    vision: checked(
      parse(visionSchema, part(whole.vision_config, whole.vision_config_dict), file, 'vision_config'),
      file,
    ),
  };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function tower(config: {
  hidden_size: number;
  num_attention_heads: number;
  num_hidden_layers: number;
  intermediate_size: number;
  hidden_act: Activation;
  layer_norm_eps: number;
  projection_dim: number;
}): TowerConfig {
  return {
    width: config.hidden_size,
    heads: config.num_attention_heads,
    layers: config.num_hidden_layers,
    feedForward: config.intermediate_size,
    activation: config.hidden_act,
    epsilon: config.layer_norm_eps,
    projection: config.projection_dim,
  };
}

function checked<Config extends TowerConfig & { imageSize?: number; patchSize?: number }>(
  config: Config,
  file: string,
): Config {
  const { width, heads, imageSize, patchSize } = config;
  if (width % heads !== 0) throw invalid(`${file}: hidden_size`, `a multiple of ${heads} heads`, `${width}`);
  if (imageSize !== undefined && patchSize !== undefined && imageSize < patchSize) {
    throw invalid(`${file}: image_size`, `at least the patch size ${patchSize}`, `${imageSize}`);
  }
  return config;
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  file: string,
  within?: string,
): z.output<Schema> {
  const result = schema.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  const { path, message, input } = result.error.issues[0]!;
  const field = [...(within ? [within] : []), ...path].join('.');
  throw invalid(field ? `${file}: ${field}` : file, message, shortJson(input));
}

function invalid(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-config', { subject, expected, found });
}
