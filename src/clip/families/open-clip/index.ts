/** OpenCLIP's own layout: `open_clip_config.json`, with weights whose projections are fused or transposed. */

import { z } from 'zod';
import {
  type Checkpoint,
  type ModelFiles,
  openCheckpoint,
  readJson,
  type StoredTensor,
  weightFiles,
} from '../../../core/index.ts';
import type { ClipConfig } from '../../config.ts';
import type { Layout } from '../family.ts';
import { isKnown } from '../hugging-face.ts';
import { object, parsedConfig, size } from '../schema.ts';
import { loadOpenClipPreprocessing } from './preprocessing.ts';
import type { SharedByTowers } from './tower.ts';
import { textTowerOf, visionTowerOf } from './towers.ts';

const configFile = 'open_clip_config.json';
/** Best first. In repositories that hold timm's vision tower as well, the other names are that tower's. */
const ownWeightFiles = [
  'open_clip_model.safetensors',
  'open_clip_model.safetensors.index.json',
  'open_clip_pytorch_model.bin',
  'open_clip_pytorch_model.bin.index.json',
  ...weightFiles,
];

const flag = z.boolean('true or false');
const wholeSchema = z.strictObject({
  embed_dim: size,
  vision_cfg: object,
  text_cfg: object,
  quick_gelu: flag.nullish(),
  custom_text: flag.nullish(), // says only whether names begin with `text.`
  // The rest concerns the training's loss.
  init_logit_scale: z.unknown().optional(),
  init_logit_bias: z.unknown().optional(),
  nonscalar_logit_scale: z.unknown().optional(),
  cast_dtype: z.unknown().optional(),
  output_dict: z.unknown().optional(),
});
const fileSchema = z.looseObject({ model_cfg: wholeSchema, preprocess_cfg: object.nullish() }, 'an object');

/** A model in both layouts is read in that of transformers, if its family is known there. */
export const openClip: Layout = {
  async find(files) {
    const file = await files.read(configFile);
    if (file === undefined) return undefined;
    const otherConfig = await readOtherConfig(files);
    if (otherConfig && (await isInOtherLayout(files, otherConfig))) return undefined;
    const { model_cfg, preprocess_cfg } = parsedConfig(fileSchema, await readJson(file), file.name);
    const { embed_dim: projection, vision_cfg, text_cfg, quick_gelu } = model_cfg;
    const shared = { projection, quickGelu: quick_gelu ?? false, file: file.name, otherConfig };
    const towers = { vision: visionTowerOf(vision_cfg, file.name), text: textTowerOf(text_cfg, file.name) };
    const vision = towers.vision.readConfig(vision_cfg, { ...shared, within: 'vision_cfg' });
    const text = towers.text.readConfig(text_cfg, { ...shared, within: 'text_cfg' });
    const canonical = (name: string, stored: StoredTensor) => {
      const [, of, rest = name] = /^(visual|text)\.(.+)$/.exec(name) ?? [];
      if (of === 'visual') return towers.vision.canonical(rest, stored, vision);
      return isOfText(name, of) ? towers.text.canonical(rest, stored, text) : [[name, stored] as const];
    };
    return {
      family: 'OpenCLIP',
      config: { text, vision } satisfies ClipConfig,
      async openWeights(): Promise<Checkpoint> {
        const { tensors } = await openCheckpoint(files, ownWeightFiles);
        return {
          tensors: new Map(
            [...tensors].flatMap(([name, stored]) => [...canonical(name.replace(/^module\./, ''), stored)]),
          ),
        };
      },
      openPreprocessing: async () => loadOpenClipPreprocessing(preprocess_cfg ?? {}, file.name, vision),
    };
  },
};

/** Without `custom_text`, the parts of the text tower stand beside `visual`. */
function isOfText(name: string, prefix: string | undefined): boolean {
  return (
    prefix === 'text' ||
    /^(text_projection|positional_embedding|token_embedding|transformer|ln_final|attn_mask)\b/.test(name)
  );
}

async function readOtherConfig(files: ModelFiles): Promise<SharedByTowers['otherConfig']> {
  const file = await files.read('config.json');
  return file && { json: await readJson(file), file: file.name };
}

async function isInOtherLayout(
  files: ModelFiles,
  { json, file }: NonNullable<SharedByTowers['otherConfig']>,
): Promise<boolean> {
  if (!isKnown(json, file)) return false;
  // Its weights may be only in this layout, all the same.
  const isThere = async (names: readonly string[]) =>
    (await Promise.all(names.map((name) => files.read(name)))).some((found) => found !== undefined);
  return (await isThere(weightFiles)) || !(await isThere(ownWeightFiles));
}
