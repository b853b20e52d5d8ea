/** Configurations of CLIP's two towers in transformers' words, for all families that have one or both of them. */

import { z } from 'zod';
import type { ClipConfig, TextConfig, VisionConfig } from '../../config.ts';
import {
  checkedTower,
  epsilon,
  object,
  parsedConfig,
  size,
  tokenId,
  towerOf,
  towerSizes,
} from '../schema.ts';

const activation = z.enum(['quick_gelu', 'gelu'], '"quick_gelu" or "gelu"');

/**
 * Defaults of transformers' CLIPTextConfig. Configs leave out values that equal them.
 * @param endOfText what a config's `eos_token_id` means
 */
export const textSchema = (endOfText: (id: number) => TextConfig['endOfText']) =>
  z
    .looseObject({
      ...towerSizes({ width: 512, heads: 8, feedForward: 2048 }),
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
        ...towerOf(config, config.hidden_act),
        vocabulary: config.vocab_size,
        positions: config.max_position_embeddings,
        endOfText: endOfText(config.eos_token_id),
      }),
    );

/** Defaults of transformers' CLIPVisionConfig. */
export const visionSchema = z
  .looseObject({
    ...towerSizes(),
    hidden_act: activation.default('quick_gelu'),
    layer_norm_eps: epsilon.default(1e-5),
    projection_dim: size.default(512),
    image_size: size.default(224),
    patch_size: size.default(32),
    num_channels: size.default(3),
  })
  .transform(
    (config): VisionConfig => ({
      ...towerOf(config, config.hidden_act),
      imageSize: config.image_size,
      patchSize: config.patch_size,
      channels: config.num_channels,
    }),
  );

const typeSchema = z.looseObject({ model_type: z.string().nullish() });

const wholeSchema = z.looseObject({
  projection_dim: size.default(512),
  text_config: object.nullish(),
  text_config_dict: object.nullish(),
  vision_config: object.nullish(),
  vision_config_dict: object.nullish(),
});

/**
 * Reads the configuration of a whole model or of one tower.
 * @param type the whole model's `model_type`, with which those of its towers begin
 * @param text the schema of its text tower
 */
export function readTowers(
  json: unknown,
  file: string,
  type: string,
  text: ReturnType<typeof textSchema>,
): ClipConfig {
  const { model_type } = parsedConfig(typeSchema, json, file);
  if (model_type === `${type}_text_model`) {
    return { text: checkedTower(parsedConfig(text, json, file), file), vision: undefined };
  }
  if (model_type === `${type}_vision_model`) {
    return { text: undefined, vision: checkedTower(parsedConfig(visionSchema, json, file), file) };
  }
  const parts = towerParts(json, file);
  return {
    text: checkedTower(parsedConfig(text, parts.text, file, 'text_config'), file),
    vision: checkedTower(parsedConfig(visionSchema, parts.vision, file, 'vision_config'), file),
  };
}

/** The configurations of a whole model's towers. */
export function towerParts(json: unknown, file: string): { readonly text: object; readonly vision: object } {
  const whole = parsedConfig(wholeSchema, json, file);
  // Older configs were made from the `_dict` twins. transformers lets them win, with defaults for what they leave out. The
  // projection of the whole model counts, because several published text_configs have a wrong one.
  const part = (plain: unknown, twin: unknown): object => ({
    ...(twin ?? plain ?? {}),
    projection_dim: whole.projection_dim,
  });
  return {
    text: part(whole.text_config, whole.text_config_dict),
    vision: part(whole.vision_config, whole.vision_config_dict),
  };
}
