/** OpenCLIP's own text transformer: its configuration, and the names of its tensors. */

import { z } from 'zod';
import type { TextConfig } from '../../config.ts';
import { transposedView } from '../../views.ts';
import { badConfig, checkedTower, parsedConfig, size, tokenId } from '../schema.ts';
import { siglipEnds } from '../siglip/ends.ts';
import { blockTensors } from './blocks.ts';
import { absent, activationOf, type OpenClipTower, plainTransformer } from './tower.ts';

const schema = z.strictObject({
  ...plainTransformer,
  context_length: size.default(77),
  vocab_size: size.default(49408),
  width: size.default(512),
  heads: size.default(8),
  layers: size.default(12),
  // These three are the tokenizer's.
  hf_tokenizer_name: z.string('a name').nullish(),
  tokenizer_mode: z.unknown().optional(),
  tokenizer_kwargs: z.unknown().optional(),
  embed_cls: z.literal(false, 'false: only CoCa has a token for the class of texts').default(false),
  pad_id: tokenId.default(0), // counts only where padding is hidden, which a configuration cannot say
  eos_id: tokenId.default(2),
  no_causal_mask: z.boolean('true or false').default(false),
  final_ln_after_pool: z.boolean('true or false').default(false), // the same for a single position
  pool_type: z
    .enum(['argmax', 'eos', 'first', 'last'], '"argmax", "eos", "first" or "last"')
    .default('argmax'),
  proj_bias: z.boolean('true or false').default(false),
  proj_type: z.literal('linear', '"linear"').default('linear'),
  hf_model_name: absent('null'),
  hf_model_pretrained: z.unknown().optional(), // this and the rest count only with hf_model_name
  hf_proj_type: z.unknown().optional(),
  hf_pooler_type: z.unknown().optional(),
});

type OwnText = z.output<typeof schema>;

/** Tokenizers of towers that see padding, by their vocabularies: the ids that end and fill up texts. */
const clipEnds = { vocabulary: 49_408, endOfText: 'largest', padding: 0 } as const;
const paddings = [clipEnds, ...siglipEnds];

const parts: Readonly<Record<string, string>> = {
  'token_embedding.weight': 'text_model.embeddings.token_embedding.weight',
  positional_embedding: 'text_model.embeddings.position_embedding.weight',
  'ln_final.weight': 'text_model.final_layer_norm.weight',
  'ln_final.bias': 'text_model.final_layer_norm.bias',
  'text_projection.weight': 'text_projection.weight',
  'text_projection.bias': 'text_projection.bias',
};

export const ownText: OpenClipTower<TextConfig> = {
  fits: ({ hf_model_name }) => hf_model_name === undefined || hf_model_name === null,

  readConfig(part, shared) {
    const { file, within, projection } = shared;
    const config = parsedConfig(schema, part, file, `model_cfg.${within}`);
    const { width, heads, layers, mlp_ratio, norm_kwargs, vocab_size, context_length } = config;
    return checkedTower(
      {
        width,
        heads,
        layers,
        feedForward: Math.trunc(width * mlp_ratio),
        activation: activationOf(config, shared),
        epsilon: norm_kwargs?.eps ?? 1e-5,
        projection,
        vocabulary: vocab_size,
        positions: context_length,
        ...attentionOf(config, file, within),
        ...(config.proj_bias && { projectionBias: true }),
      },
      file,
    );
  },

  canonical(name, stored) {
    if (name === 'text_projection') return [['text_projection.weight', transposedView(stored)]];
    return blockTensors(name, stored, 'text_model') ?? [[parts[name] ?? `text_model.${name}`, stored]];
  },
};

/** What positions attend to, and which one is pooled. */
function attentionOf(
  { no_causal_mask, pool_type, eos_id, vocab_size, hf_tokenizer_name }: OwnText,
  file: string,
  within: string,
): Pick<TextConfig, 'attention' | 'padding' | 'pooling' | 'endOfText'> {
  const endOfText = pool_type === 'eos' ? eos_id : 'largest';
  const known = paddings.find(({ vocabulary }) => vocabulary === vocab_size);
  if (!no_causal_mask && (pool_type === 'argmax' || pool_type === 'eos')) return { endOfText };
  const filled = known ?? (hf_tokenizer_name ? undefined : clipEnds);
  if (filled === undefined || pool_type === 'first') {
    throw badConfig(
      `${file}: model_cfg.${within}`,
      'a text tower whose padding lincir knows: that of CLIP, SigLIP or SigLIP 2',
      `pool_type ${pool_type}, no_causal_mask ${no_causal_mask}, a tokenizer of ${vocab_size} tokens`,
    );
  }
  if (!no_causal_mask) {
    throw badConfig(
      `${file}: model_cfg.${within}.pool_type`,
      '"argmax" or "eos" of a causal tower',
      pool_type,
    );
  }
  return {
    endOfText: pool_type === 'eos' ? eos_id : filled.endOfText,
    attention: 'everywhere',
    padding: filled.padding,
    ...(pool_type === 'last' && { pooling: 'last' }),
  };
}
