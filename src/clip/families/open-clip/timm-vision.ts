/** Vision towers that OpenCLIP takes from timm: SigLIP, EVA, PE-Core, and one of MobileCLIP 2. Others are refused by name. */

import { z } from 'zod';
import { LincirError, quoted } from '../../../core/index.ts';
import type { VisionConfig } from '../../config.ts';
import { badConfig, checkedTower, parsedConfig, square } from '../schema.ts';
import { timmTensors } from './timm-tensors.ts';
import { timmTrunk, trunkNames } from './timm-trunks.ts';
import type { OpenClipTower } from './tower.ts';

/** Of an image's side. Tables of places grow with its square. */
const mostPixels = 4096;

/** What OpenCLIP hands on to timm. It ignores the rest. */
const schema = z.looseObject({
  timm_model_name: z.string('a name'),
  image_size: square
    .refine((side) => side <= mostPixels, `a side of at most ${mostPixels} pixels`)
    .default(224),
  timm_pool: z.string('a name').nullish().default('avg'),
  timm_proj: z.string('a name').nullish().default('linear'),
});

/** Towers of other kinds, by the beginnings of their names. */
const refused: readonly { readonly names: RegExp; readonly family: string; readonly instead: string }[] = [
  {
    names: /^(fastvit_|vit_base_mci_)/,
    family: 'MobileCLIP, whose vision tower has convolutions that lincir does not have',
    instead:
      'timm/MobileCLIP2-L-14-OpenCLIP, whose tower has none, or timm/PE-Core-S-16-384, which is small, too',
  },
  {
    names: /^convnext/,
    family: 'CLIP with ConvNeXt, a tower of convolutions, which lincir does not have',
    instead: 'laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K, or laion/CLIP-ViT-H-14-laion2B-s32B-b79K',
  },
  {
    names: /^vitamin/,
    family: 'ViTamin, whose vision tower begins with convolutions that lincir does not have',
    instead: 'laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K, trained on the same data',
  },
  {
    names: /^(swin|resnet|vit_relpos)/,
    family: 'a vision tower that lincir does not have',
    instead: 'a model whose tower is a vision transformer',
  },
  {
    names: /^eva02_enormous/,
    family: 'EVA-02-E, whose norms stand behind its layers',
    instead: 'timm/eva02_large_patch14_clip_336.merged2b_s6b_b61k',
  },
];

export const timmVision: OpenClipTower<VisionConfig> = {
  fits: ({ timm_model_name }) => typeof timm_model_name === 'string',

  readConfig(part, { file, within, projection }) {
    const field = (name: string) => `${file}: model_cfg.${within}.${name}`;
    const config = parsedConfig(schema, part, file, `model_cfg.${within}`);
    const trunk = timmTrunk(config.timm_model_name);
    if (trunk === undefined) throw refusal(field('timm_model_name'), config.timm_model_name);
    const pool = trunk.pooling === 'attention' ? 'map' : 'token';
    if (config.timm_pool !== pool) throw badConfig(field('timm_pool'), quoted(pool), shown(config.timm_pool));
    const hasOwnProjection = trunk.projectionBias === true;
    const isRight = hasOwnProjection ? !config.timm_proj : config.timm_proj === 'none';
    if (!isRight) {
      throw badConfig(
        field('timm_proj'),
        hasOwnProjection ? 'null: the tower has its own projection' : '"none"',
        shown(config.timm_proj),
      );
    }
    if (!hasOwnProjection && projection !== trunk.width) {
      throw badConfig(`${file}: model_cfg.embed_dim`, `the tower's width, ${trunk.width}`, `${projection}`);
    }
    return checkedTower({ ...trunk, imageSize: config.image_size, channels: 3, projection }, file);
  },

  canonical: timmTensors,
};

function refusal(subject: string, name: string): LincirError {
  const known = refused.find(({ names }) => names.test(name));
  return new LincirError('bad-config', {
    subject,
    expected: `one of timm's vision towers that lincir has: ${trunkNames.join(', ')}`,
    found: known ? `${quoted(name)}: ${known.family}` : quoted(name),
    todo: known ? `choose ${known.instead}` : 'choose another model',
  });
}

function shown(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : 'none';
}
