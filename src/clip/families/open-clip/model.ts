/** A model out of OpenCLIP's description of it: `model_cfg`, `preprocess_cfg`, and tensors under OpenCLIP's names. */

import { z } from 'zod';
import type { Checkpoint, StoredTensor } from '../../../core/index.ts';
import { clipTokenizer, type FoundModel } from '../family.ts';
import { isRoundedAsOpenAis } from '../rounding.ts';
import { object, parsedConfig, size } from '../schema.ts';
import { readOpenClipPreprocessing } from './preprocessing.ts';
import type { SharedByTowers } from './tower.ts';
import { textTowerOf, visionTowerOf } from './towers.ts';

const flag = z.boolean('true or false').nullish();
const modelSchema = z.strictObject({
  embed_dim: size,
  vision_cfg: object,
  text_cfg: object,
  quick_gelu: flag,
  multimodal_cfg: z
    .undefined(
      'none: this is a CoCa, whose pooling and text tower lincir does not have. Choose another model',
    )
    .optional(),
  custom_text: flag, // says only whether names begin with `text.`
  // The rest concerns the training's loss.
  init_logit_scale: z.unknown().optional(),
  init_logit_bias: z.unknown().optional(),
  nonscalar_logit_scale: z.unknown().optional(),
  cast_dtype: z.unknown().optional(),
  output_dict: z.unknown().optional(),
});
const schema = z.looseObject({ model_cfg: object, preprocess_cfg: object.nullish() }, 'an object');

/** The parts of a tower that stands beside `visual`, without `custom_text`. */
const ofText = /^(text_projection|positional_embedding|token_embedding|transformer|ln_final)\b/;
/** A table of zeros and minus infinity, which older versions stored. */
const causalMask = /(^|\.)attn_mask$/;

const quickGeluTodo =
  'Its weights are rounded as OpenAI\'s are: if they are OpenAI\'s, add "quick_gelu": true to its model_cfg, and if not, false';

/** What there is to read of a model besides its tensors. */
interface Description extends Pick<SharedByTowers, 'file' | 'otherConfig'> {
  /** `open_clip_config.json` */
  readonly json: unknown;
}

/**
 * @param openTensors finds the tensors under OpenCLIP's names
 * @throws LincirError 'bad-config' for what would change the result in a way that the towers cannot compute
 */
export function openClipModel(
  { json, file, otherConfig }: Description,
  openTensors: () => Promise<ReadonlyMap<string, StoredTensor>>,
): Omit<FoundModel, 'family'> {
  const { model_cfg, preprocess_cfg } = parsedConfig(schema, json, file);
  const { embed_dim, vision_cfg, text_cfg, quick_gelu } = parsedConfig(
    modelSchema,
    model_cfg,
    file,
    'model_cfg',
  );
  const shared = { projection: embed_dim, quickGelu: quick_gelu ?? false, file, otherConfig };
  const towers = { vision: visionTowerOf(vision_cfg, file), text: textTowerOf(text_cfg, file) };
  const vision = towers.vision.readConfig(vision_cfg, { ...shared, within: 'vision_cfg' });
  const text = towers.text.readConfig(text_cfg, { ...shared, within: 'text_cfg' });
  const preprocessing = readOpenClipPreprocessing(preprocess_cfg ?? {}, file, vision);

  const canonical = (name: string, stored: StoredTensor): readonly [string, StoredTensor][] => {
    if (causalMask.test(name)) return [];
    const [, tower, rest = name] = /^(visual|text)\.(.+)$/.exec(name) ?? [];
    if (tower === 'visual') return towers.vision.canonical(rest, stored, vision);
    if (tower === 'text' || ofText.test(name)) return towers.text.canonical(rest, stored, text);
    return [[name, stored]];
  };
  const openWeights = async (): Promise<Checkpoint> => {
    const tensors = [...(await openTensors())];
    // Training on several devices puts `module.` before all names.
    return {
      tensors: new Map(tensors.flatMap(([name, stored]) => canonical(name.replace(/^module\./, ''), stored))),
    };
  };
  // The usual trap: without the key, OpenCLIP computes GELU, even with OpenAI's weights.
  const remarks = async (checkpoint: Checkpoint) =>
    typeof quick_gelu !== 'boolean' && (await isRoundedAsOpenAis(checkpoint))
      ? [`GELU is used, because ${file} does not say quick_gelu. ${quickGeluTodo}`]
      : [];
  return {
    config: { text, vision },
    ...(!(text_cfg.hf_tokenizer_name || text_cfg.hf_model_name) && { tokenizer: clipTokenizer }),
    remarks,
    openWeights,
    openPreprocessing: async () => preprocessing,
  };
}
