/** Text towers of OpenCLIP that transformers makes: BERT, RoBERTa and XLM-RoBERTa, with OpenCLIP's pooling and projection. */

import { z } from 'zod';
import { LincirError, quoted } from '../../../core/index.ts';
import type { TextConfig } from '../../config.ts';
import { bertTensors } from '../bert.ts';
import { badConfig, checkedTower, epsilon, parsedConfig, size, tokenId, towerSizes } from '../schema.ts';
import type { OpenClipTower, SharedByTowers } from './tower.ts';

const projections = ['mlp', 'linear'] as const;
const poolers = { mean_pooler: 'mean', cls_last_hidden_state_pooler: 'first' } as const;
const projection = z.enum(projections, '"mlp" or "linear"').nullish();
const pooler = z
  .enum(['mean_pooler', 'cls_last_hidden_state_pooler'], '"mean_pooler" or "cls_last_hidden_state_pooler"')
  .nullish();

/** What counts with `hf_model_name`. Published models spell two of its keys without `hf_`, as older versions did. */
const schema = z.looseObject({
  hf_model_name: z.string('a name'),
  context_length: size.default(77),
  hf_proj_type: projection,
  proj: projection,
  hf_pooler_type: pooler,
  pooler_type: pooler,
  tokenizer_kwargs: z
    .looseObject({ strip_sep_token: z.literal(false, 'false: texts keep their end').optional() })
    .nullish(),
});

/** The model that `hf_model_name` names, in words of its `config.json`. */
const modelSchema = z.looseObject({
  model_type: z.enum(['bert', 'roberta', 'xlm-roberta'], '"bert", "roberta" or "xlm-roberta"'),
  ...towerSizes(),
  hidden_act: z.literal('gelu', '"gelu"').default('gelu'),
  layer_norm_eps: epsilon.default(1e-12),
  vocab_size: size,
  max_position_embeddings: size,
  pad_token_id: tokenId,
  position_embedding_type: z.literal('absolute', '"absolute"').nullish(),
});

const bert = { model_type: 'bert', layer_norm_eps: 1e-12, max_position_embeddings: 512, pad_token_id: 0 };
const roberta = {
  model_type: 'roberta',
  layer_norm_eps: 1e-5,
  max_position_embeddings: 514,
  pad_token_id: 1,
};
const xlmRoberta = { ...roberta, model_type: 'xlm-roberta', vocab_size: 250002 };
const large = { hidden_size: 1024, num_attention_heads: 16, num_hidden_layers: 24, intermediate_size: 4096 };

/** OpenCLIP's files only name the model. These are the ones that lincir knows by name, with or without their owner. */
const knownModels = new Map<string, unknown>(
  Object.entries({
    'xlm-roberta-base': xlmRoberta,
    'xlm-roberta-large': { ...xlmRoberta, ...large },
    'roberta-base': { ...roberta, vocab_size: 50265 },
    'roberta-large': { ...roberta, ...large, vocab_size: 50265 },
    'bert-base-uncased': { ...bert, vocab_size: 30522 },
    'bert-base-cased': { ...bert, vocab_size: 28996 },
    'bert-base-chinese': { ...bert, vocab_size: 21128 },
    'bert-base-multilingual-cased': { ...bert, vocab_size: 119547 },
    'bert-base-multilingual-uncased': { ...bert, vocab_size: 105879 },
  }),
);
/** Text towers of other kinds. */
const translators = [
  { names: /nllb|m2m/i, family: 'NLLB-CLIP, whose text tower is the first half of a translator' },
  { names: /\bm?t5\b/i, family: 'a CLIP with a T5 as text tower' },
];
const ofManyLanguages = 'google/siglip2-base-patch16-224 or facebook/metaclip-2-worldwide-huge-quickgelu';

const owners = /^(FacebookAI|google-bert)\//;

const projectionNames: Readonly<Record<string, string>> = {
  'proj.weight': 'text_projection.weight',
  'proj.0.weight': 'text_projection.fc1.weight',
  'proj.2.weight': 'text_projection.fc2.weight',
};

export const hfText: OpenClipTower<TextConfig> = {
  fits: ({ hf_model_name }) => typeof hf_model_name === 'string',

  readConfig(part, shared) {
    const { file, within, projection } = shared;
    expectNoTranslator(part.hf_model_name, shared); // before its poolers, which are others
    const config = parsedConfig(schema, part, file, `model_cfg.${within}`);
    const model = modelOf(config.hf_model_name, shared);
    const rows = model.max_position_embeddings;
    // RoBERTa counts positions from the one after its padding's id.
    const first = model.model_type === 'bert' ? 0 : model.pad_token_id + 1;
    const { context_length: positions } = config;
    if (positions > rows - first) {
      throw badConfig(
        `${file}: model_cfg.${within}.context_length`,
        `at most ${rows - first}`,
        `${positions}`,
      );
    }
    const width = model.hidden_size;
    const isDouble = (config.hf_proj_type ?? config.proj ?? 'mlp') === 'mlp';
    return checkedTower(
      {
        kind: 'bert',
        width,
        heads: model.num_attention_heads,
        layers: model.num_hidden_layers,
        feedForward: model.intermediate_size,
        activation: model.hidden_act,
        epsilon: model.layer_norm_eps,
        projection,
        vocabulary: model.vocab_size,
        positions,
        positionTable: { rows, first },
        endOfText: 'last',
        attention: 'toEnd',
        padding: model.pad_token_id,
        pooling: poolers[config.hf_pooler_type ?? config.pooler_type ?? 'mean_pooler'],
        ...(isDouble && { projectionBetween: Math.floor((width + projection) / 2) }),
      },
      file,
    );
  },

  canonical(name, stored) {
    const [, inner] = /^transformer\.(.+)$/.exec(name) ?? [];
    if (inner !== undefined) return bertTensors(inner, stored);
    return [[projectionNames[name] ?? `text_model.${name}`, stored]];
  },
};

function expectNoTranslator(name: unknown, { file, within }: SharedByTowers): void {
  const translator = translators.find(({ names }) => typeof name === 'string' && names.test(name));
  if (translator === undefined) return;
  throw new LincirError('bad-config', {
    subject: `${file}: model_cfg.${within}.hf_model_name`,
    expected: 'a text tower that lincir has',
    found: `${quoted(String(name))}: ${translator.family}`,
    todo: `choose another model of many languages, such as ${ofManyLanguages}`,
  });
}

/** The shapes of a model: by its name, or from its own `config.json`, if that lies beside OpenCLIP's. */
function modelOf(name: string, { file, within, otherConfig }: SharedByTowers): z.output<typeof modelSchema> {
  const known = knownModels.get(name.replace(owners, ''));
  if (known) return modelSchema.parse(known);
  if (otherConfig) return parsedConfig(modelSchema, otherConfig.json, otherConfig.file);
  throw new LincirError('bad-config', {
    subject: `${file}: model_cfg.${within}.hf_model_name`,
    expected: [...knownModels.keys()].join(', '),
    found: quoted(name),
    todo: 'put the config.json of that model beside this file, if it is a BERT, RoBERTa or XLM-RoBERTa',
  });
}
