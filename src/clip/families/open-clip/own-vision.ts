/** OpenCLIP's own vision transformer: its configuration, and the names of its tensors. */

import { z } from 'zod';
import type { VisionConfig } from '../../config.ts';
import { transposedView } from '../../views.ts';
import { checkedTower, parsedConfig, size, square } from '../schema.ts';
import { blockTensors } from './blocks.ts';
import { absent, activationOf, type OpenClipTower, off, plainTransformer } from './tower.ts';

const layerCount = z
  .int('a whole number: several are the stages of a ResNet, which lincir does not have')
  .min(1, 'at least 1')
  .max(1000, 'at most 1,000');

const schema = z.strictObject({
  ...plainTransformer,
  layers: layerCount.default(12),
  width: size.default(768),
  head_width: size.default(64),
  patch_size: square.default(16),
  image_size: square.default(224),
  patch_dropout: z.number('a number').default(0), // of training alone
  attentional_pool: off(),
  attn_pooler_queries: size.default(256), // counts only with attentional_pool
  attn_pooler_heads: size.default(8),
  no_ln_pre: z
    .literal(false, "false: CLIPA's towers, which begin without a norm, are none that lincir has")
    .default(false),
  pos_embed_type: z.enum(['learnable', 'sin_cos_2d'], '"learnable" or "sin_cos_2d"').default('learnable'), // stored in any case
  final_ln_after_pool: z.boolean('true or false').default(false), // the same for a class token
  pool_type: z.literal('tok', '"tok", the class token').default('tok'),
  timm_model_name: absent('null'),
  timm_model_pretrained: z.unknown().optional(), // this and the rest count only with timm_model_name
  timm_pool: z.unknown().optional(),
  timm_proj: z.unknown().optional(),
  timm_proj_bias: z.unknown().optional(),
  timm_drop: z.unknown().optional(),
  timm_drop_path: z.unknown().optional(),
});

const parts: Readonly<Record<string, string>> = {
  class_embedding: 'vision_model.embeddings.class_embedding',
  positional_embedding: 'vision_model.embeddings.position_embedding.weight',
  'conv1.weight': 'vision_model.embeddings.patch_embedding.weight',
  // CLIPModel spells it 'pre_layrnorm'.
  'ln_pre.weight': 'vision_model.pre_layrnorm.weight',
  'ln_pre.bias': 'vision_model.pre_layrnorm.bias',
  'ln_post.weight': 'vision_model.post_layernorm.weight',
  'ln_post.bias': 'vision_model.post_layernorm.bias',
};

export const ownVision: OpenClipTower<VisionConfig> = {
  fits: ({ timm_model_name }) => timm_model_name === undefined || timm_model_name === null,

  readConfig(part, shared) {
    const { file, within, projection } = shared;
    const config = parsedConfig(schema, part, file, `model_cfg.${within}`);
    const { layers, width, head_width, mlp_ratio, norm_kwargs, patch_size, image_size } = config;
    return checkedTower(
      {
        width,
        heads: Math.max(1, Math.floor(width / head_width)),
        layers,
        feedForward: Math.trunc(width * mlp_ratio),
        activation: activationOf(config, shared),
        epsilon: norm_kwargs?.eps ?? 1e-5,
        projection,
        imageSize: image_size,
        patchSize: patch_size,
        channels: 3,
      },
      file,
    );
  },

  canonical(name, stored) {
    if (name === 'proj') return [['visual_projection.weight', transposedView(stored)]];
    return blockTensors(name, stored, 'vision_model') ?? [[parts[name] ?? `vision_model.${name}`, stored]];
  },
};
