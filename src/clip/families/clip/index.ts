/** CLIP in the layout of transformers: OpenAI's, LAION's, MetaCLIP, BGE-VL, and each tower alone. */

import { z } from 'zod';
import type { ClipConfig, TextConfig, VisionConfig } from '../../config.ts';
import type { Family } from '../family.ts';
import { checkedTower, epsilon, object, parsedConfig, size, tokenId, towerOf } from '../schema.ts';

const activation = z.enum(['quick_gelu', 'gelu'], '"quick_gelu" or "gelu"');

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
      ...towerOf(config, config.hidden_act),
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
      ...towerOf(config, config.hidden_act),
      imageSize: config.image_size,
      patchSize: config.patch_size,
      channels: config.num_channels,
    }),
  );

const wholeSchema = z.looseObject({
  projection_dim: size.default(512),
  text_config: object.nullish(),
  text_config_dict: object.nullish(),
  vision_config: object.nullish(),
  vision_config_dict: object.nullish(),
});

export const clip: Family = {
  name: 'CLIP',
  modelTypes: ['clip', 'clip_text_model', 'clip_vision_model'],

  readConfig(json, file): ClipConfig {
    const { model_type } = parsedConfig(z.looseObject({ model_type: z.string().nullish() }), json, file);
    if (model_type === 'clip_text_model') {
      return { text: checkedTower(parsedConfig(textSchema, json, file), file), vision: undefined };
    }
    if (model_type === 'clip_vision_model') {
      return { text: undefined, vision: checkedTower(parsedConfig(visionSchema, json, file), file) };
    }
    const whole = parsedConfig(wholeSchema, json, file);
    // Older configs were made from the `_dict` twins. transformers lets them win, with defaults for what they leave out. The
    // projection of the whole model counts, because several published text_configs have a wrong one.
    const part = (plain: unknown, twin: unknown): object => ({
      ...(twin ?? plain ?? {}),
      projection_dim: whole.projection_dim,
    });
    const text = part(whole.text_config, whole.text_config_dict);
    const vision = part(whole.vision_config, whole.vision_config_dict);
    return {
      text: checkedTower(parsedConfig(textSchema, text, file, 'text_config'), file),
      vision: checkedTower(parsedConfig(visionSchema, vision, file, 'vision_config'), file),
    };
  },
};
