/** SigLIP, and SigLIP 2 of fixed resolution, in the layout of transformers (Zhai et al., 2023; Tschannen et al., 2025). */

import { z } from 'zod';
import { openCheckpoint, type StoredTensor } from '../../../core/index.ts';
import type { ClipConfig, TextConfig, VisionConfig } from '../../config.ts';
import { renamed, rowParts } from '../../views.ts';
import type { Family } from '../family.ts';
import {
  badConfig,
  checkedTower,
  epsilon,
  object,
  parsedConfig,
  size,
  square,
  towerOf,
  towerSizes,
} from '../schema.ts';
import { siglipEnds } from './ends.ts';

const activations = { gelu_pytorch_tanh: 'gelu_tanh', gelu: 'gelu', quick_gelu: 'quick_gelu' } as const;
const activation = z
  .enum(['gelu_pytorch_tanh', 'gelu', 'quick_gelu'], '"gelu_pytorch_tanh", "gelu" or "quick_gelu"')
  .default('gelu_pytorch_tanh');
/** Of the largest known vocabulary that is not larger. */
function endsOf(vocabulary: number) {
  const { endOfText, padding } =
    siglipEnds.findLast((known) => vocabulary >= known.vocabulary) ?? siglipEnds[0];
  return { endOfText, padding };
}

/** Defaults of transformers' SiglipTextConfig. */
const textSchema = z
  .looseObject({
    ...towerSizes(),
    hidden_act: activation,
    layer_norm_eps: epsilon.default(1e-6),
    projection_size: size.nullish(),
    vocab_size: size.default(32000),
    max_position_embeddings: size.default(64),
  })
  .transform(
    (config): TextConfig => ({
      ...towerOf(
        { ...config, projection_dim: config.projection_size ?? config.hidden_size },
        activations[config.hidden_act],
      ),
      vocabulary: config.vocab_size,
      positions: config.max_position_embeddings,
      ...endsOf(config.vocab_size),
      attention: 'everywhere',
      pooling: 'last',
      projectionBias: true,
    }),
  );

/** Defaults of transformers' SiglipVisionConfig. */
const visionSchema = z
  .looseObject({
    ...towerSizes(),
    hidden_act: activation,
    layer_norm_eps: epsilon.default(1e-6),
    image_size: square.default(224),
    patch_size: square.default(16),
    num_channels: size.default(3),
    vision_use_head: z.literal(true, 'true: without its head, it has no embeddings').default(true),
  })
  .transform(
    (config): VisionConfig => ({
      ...towerOf({ ...config, projection_dim: config.hidden_size }, activations[config.hidden_act]),
      imageSize: config.image_size,
      patchSize: config.patch_size,
      channels: config.num_channels,
      pooling: 'attention',
    }),
  );

const wholeSchema = z.looseObject({
  model_type: z.string(),
  text_config: object.nullish(),
  vision_config: object.nullish(),
});

export const siglip: Family = {
  name: 'SigLIP',
  modelTypes: ['siglip', 'siglip_text_model', 'siglip_vision_model'],

  readConfig(json, file): ClipConfig {
    const { model_type, text_config, vision_config } = parsedConfig(wholeSchema, json, file);
    if (model_type === 'siglip_text_model') {
      return { text: checkedTower(parsedConfig(textSchema, json, file), file), vision: undefined };
    }
    if (model_type === 'siglip_vision_model') {
      return { text: undefined, vision: checkedTower(parsedConfig(visionSchema, json, file), file) };
    }
    const text = checkedTower(parsedConfig(textSchema, text_config ?? {}, file, 'text_config'), file);
    const vision = checkedTower(parsedConfig(visionSchema, vision_config ?? {}, file, 'vision_config'), file);
    if (text.projection === vision.projection) return { text, vision };
    throw badConfig(
      `${file}: text_config.projection_size`,
      `the vision tower's width, ${vision.projection}`,
      `${text.projection}`,
    );
  },

  async openWeights(files, { text, vision }) {
    const { tensors } = await openCheckpoint(files);
    // The checkpoint of one tower leaves out its name.
    const tower = text ? (vision ? '' : 'text_model.') : 'vision_model.';
    const prefix = [...tensors.keys()].some((name) => name.startsWith(tower)) ? '' : tower;
    return { tensors: new Map([...tensors].flatMap(([name, stored]) => canonical(prefix + name, stored))) };
  },

  processor: {
    classes: ['Siglip'],
    size: { height: 224, width: 224 },
    crops: false,
    mean: [0.5, 0.5, 0.5],
    deviation: [0.5, 0.5, 0.5],
  },
};

/** The tensor under the name that our towers use. The head's queries, keys and values are fused. */
function canonical(name: string, stored: StoredTensor): [string, StoredTensor][] {
  const fused = /^(vision_model\.head\.attention\.)in_proj_(weight|bias)$/.exec(name);
  if (fused) {
    const [, path, kind] = fused;
    return rowParts(stored, 3).map((part, at) => renamed(part, `${path}${'qkv'[at]}_proj.${kind}`));
  }
  return [renamed(stored, name.replace(/^text_model\.head\./, 'text_projection.'))];
}
