/** Chinese-CLIP in the layout of transformers: CLIP's vision tower beside a BERT (Yang et al., 2022). */

import { z } from 'zod';
import { openCheckpoint } from '../../../core/index.ts';
import type { TextConfig } from '../../config.ts';
import { clipProcessor } from '../../preprocess.ts';
import { renamed } from '../../views.ts';
import { bertTensors } from '../bert.ts';
import { towerParts, visionSchema } from '../clip/schema.ts';
import type { Family } from '../family.ts';
import { checkedTower, epsilon, parsedConfig, size, tokenId, towerOf, towerSizes } from '../schema.ts';

/** Defaults of transformers' ChineseCLIPTextConfig. */
const textSchema = z
  .looseObject({
    ...towerSizes(),
    hidden_act: z.literal('gelu', '"gelu"').default('gelu'),
    layer_norm_eps: epsilon.default(1e-12),
    projection_dim: size,
    vocab_size: size.default(30522),
    max_position_embeddings: size.default(512),
    pad_token_id: tokenId.default(0),
    position_embedding_type: z.literal('absolute', '"absolute"').nullish(),
  })
  .transform(
    (config): TextConfig => ({
      kind: 'bert',
      ...towerOf(config, config.hidden_act),
      vocabulary: config.vocab_size,
      positions: config.max_position_embeddings,
      endOfText: 'last',
      attention: 'toEnd',
      padding: config.pad_token_id,
      pooling: 'first',
    }),
  );

export const chineseClip: Family = {
  name: 'Chinese-CLIP',
  modelTypes: ['chinese_clip'],

  readConfig(json, file) {
    const parts = towerParts(json, file);
    return {
      text: checkedTower(parsedConfig(textSchema, parts.text, file, 'text_config'), file),
      vision: checkedTower(parsedConfig(visionSchema, parts.vision, file, 'vision_config'), file),
    };
  },

  async openWeights(files) {
    const { tensors } = await openCheckpoint(files);
    const prefix = 'text_model.';
    const canonical = [...tensors].flatMap(([name, stored]) => {
      if (!name.startsWith(prefix)) return [renamed(stored, name)];
      return bertTensors(name.slice(prefix.length), stored);
    });
    return { tensors: new Map(canonical) };
  },

  processor: { ...clipProcessor, classes: ['ChineseCLIP', 'CLIP'] },
};
