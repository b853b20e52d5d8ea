/** The vision towers that OpenCLIP takes from timm: their shapes, by the names that configurations give them. */

import type { EvaConfig, VisionConfig } from '../../config.ts';

/** A tower without what a configuration says beside its name. */
export type TimmTrunk = Omit<VisionConfig, 'imageSize' | 'channels' | 'projection'>;

/** The trunk of this name; undefined for one that no tower here computes. */
export function timmTrunk(name: string): TimmTrunk | undefined {
  return siglip(name) ?? eva02(name) ?? perceptionEncoder(name) ?? others.get(name);
}

/** Patterns of the names, for messages. */
export const trunkNames = [
  'vit_*_siglip_*',
  'eva02_base_patch16_clip_*',
  'eva02_large_patch14_clip_*',
  'eva_giant_patch14_*',
  'vit_pe_core_*',
  'vit_large_patch14_clip_224',
];

const siglipSizes: Readonly<Record<string, Size>> = {
  base: { width: 768, layers: 12, heads: 12, feedForward: 3072 },
  large: { width: 1024, layers: 24, heads: 16, feedForward: 4096 },
  so400m: { width: 1152, layers: 27, heads: 16, feedForward: 4304 },
  giantopt: { width: 1536, layers: 40, heads: 16, feedForward: 6144 },
};
/** Google's towers all have the tanh form; timm has it only in these. OpenCLIP, and so its users, compute as timm says. */
const fastGelu = /^vit_(base_patch32|large_patch16_siglip_512|so400m_patch16|giantopt)/;

/** SigLIP and SigLIP 2 (Zhai et al., 2023; Tschannen et al., 2025). */
function siglip(name: string): TimmTrunk | undefined {
  const [, size = '', patch] = /^vit_([a-z0-9]+)_patch(\d+)_siglip_\d+$/.exec(name) ?? [];
  const shape = Object.hasOwn(siglipSizes, size) ? siglipSizes[size] : undefined;
  return (
    shape && {
      ...shape,
      activation: fastGelu.test(name) ? 'gelu_tanh' : 'gelu',
      epsilon: 1e-6,
      patchSize: Number(patch),
      pooling: 'attention',
    }
  );
}

/** EVA-02 (Sun et al., 2023): trained on 16 x 16 patches. Its last number is the default side of images. */
function eva02(name: string): TimmTrunk | undefined {
  const [, size, patch] = /^eva02_(base|large)_patch(14|16)_clip_\d+$/.exec(name) ?? [];
  if (size === undefined) return undefined;
  const shape =
    size === 'base'
      ? { width: 768, layers: 12, heads: 12, feedForward: 2048 }
      : { width: 1024, layers: 24, heads: 16, feedForward: 2730 };
  return {
    ...shape,
    activation: 'gelu',
    epsilon: 1e-6,
    patchSize: Number(patch),
    projectionBias: true,
    eva: { ...evaBeginning, rotary: { side: 16, first: 0, order: 'rows' }, gated: true },
  };
}

const perceptionEncoders: Readonly<Record<string, Size & { side: number }>> = {
  tiny: { width: 192, layers: 12, heads: 3, feedForward: 768, side: 24 },
  small: { width: 384, layers: 12, heads: 6, feedForward: 1536, side: 24 },
  base: { width: 768, layers: 12, heads: 12, feedForward: 3072, side: 14 },
  large: { width: 1024, layers: 24, heads: 16, feedForward: 4096, side: 24 },
  gigantic: { width: 1536, layers: 50, heads: 16, feedForward: 8960, side: 32 },
};

/** PE-Core (Bolya et al., 2025). The largest has no class token, and counts places from 0. */
function perceptionEncoder(name: string): TimmTrunk | undefined {
  const [, size = '', patch] = /^vit_pe_core_([a-z]+)_patch(\d+)_\d+$/.exec(name) ?? [];
  const found = Object.hasOwn(perceptionEncoders, size) ? perceptionEncoders[size] : undefined;
  if (found === undefined) return undefined;
  const { side, ...shape } = found;
  const classToken = size !== 'gigantic';
  return {
    ...shape,
    activation: 'gelu',
    epsilon: 1e-5,
    patchSize: Number(patch),
    pooling: 'attention',
    projectionBias: true,
    eva: {
      classToken,
      preNorm: true,
      keyBias: true,
      rotary: { side, first: classToken ? 1 : 0, order: 'columns' },
      head: { heads: 8, feedForward: 4 * shape.width },
    },
  };
}

type Size = Pick<VisionConfig, 'width' | 'layers' | 'heads' | 'feedForward'>;

const evaBeginning = { classToken: true, preNorm: false, keyBias: false } satisfies EvaConfig;

/** EVA's first, and the largest of MobileCLIP 2, which is CLIP's tower with a bias in the projection. */
const others: ReadonlyMap<string, TimmTrunk> = new Map([
  [
    'eva_giant_patch14_224',
    {
      ...{ width: 1408, layers: 40, heads: 16, feedForward: 6144, activation: 'gelu', epsilon: 1e-6 },
      ...{ patchSize: 14, projectionBias: true, eva: evaBeginning },
    },
  ],
  [
    'vit_large_patch14_clip_224',
    {
      ...{ width: 1024, layers: 24, heads: 16, feedForward: 4096, activation: 'gelu', epsilon: 1e-5 },
      ...{ patchSize: 14, projectionBias: true },
    },
  ],
]);
