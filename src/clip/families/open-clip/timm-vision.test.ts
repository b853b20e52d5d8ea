/** Configurations that name towers of timm: their shapes, and which are refused. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { timmVision } from './timm-vision.ts';

const tokenPool = { timm_pool: 'token', timm_proj: null };
const attentionPool = { timm_pool: 'map', timm_proj: null };
const siglipPool = { timm_pool: 'map', timm_proj: 'none' };

const read = (projection: number, part: Readonly<Record<string, unknown>>) =>
  timmVision.readConfig(part, {
    projection,
    quickGelu: false,
    file: 'open_clip_config.json',
    within: 'vision_cfg',
  });

test('EVA-02 has gated layers that turn by rows, then columns', () => {
  assert.deepEqual(
    read(768, { timm_model_name: 'eva02_large_patch14_clip_336', image_size: 336, ...tokenPool }),
    {
      ...{ width: 1024, layers: 24, heads: 16, feedForward: 2730, activation: 'gelu', epsilon: 1e-6 },
      ...{ patchSize: 14, imageSize: 336, channels: 3, projection: 768, projectionBias: true },
      eva: {
        ...{ classToken: true, preNorm: false, keyBias: false, gated: true },
        rotary: { side: 16, first: 0, order: 'rows' },
      },
    },
  );
});

test('PE-Core has layers that turn by columns, then rows, and a head of 8 heads', () => {
  const { eva, epsilon } = read(1024, { timm_model_name: 'vit_pe_core_base_patch16_224', ...attentionPool });
  assert.equal(epsilon, 1e-5);
  assert.deepEqual(eva, {
    ...{ classToken: true, preNorm: true, keyBias: true },
    rotary: { side: 14, first: 1, order: 'columns' },
    head: { heads: 8, feedForward: 3072 },
  });
  const name = 'vit_pe_core_gigantic_patch14_448';
  const largest = read(1280, { timm_model_name: name, image_size: 448, ...attentionPool });
  assert.equal(largest.eva?.classToken, false);
  assert.equal(largest.eva?.rotary?.first, 0);
});

test("SigLIP's activation is as timm says", () => {
  const activation = (projection: number, name: string) =>
    read(projection, { timm_model_name: name, ...siglipPool }).activation;
  assert.equal(activation(768, 'vit_base_patch16_siglip_224'), 'gelu');
  assert.equal(activation(1152, 'vit_so400m_patch14_siglip_384'), 'gelu');
  assert.equal(activation(1152, 'vit_so400m_patch16_siglip_384'), 'gelu_tanh');
  assert.equal(activation(1536, 'vit_giantopt_patch16_siglip_256'), 'gelu_tanh');
});

test('a pooling or projection that the tower does not have is refused', (t) => {
  const siglip = { timm_model_name: 'vit_base_patch16_siglip_224' };
  refuses(t, 768, siglip, /vision_cfg\.timm_pool: expected "map", found "avg"/); // OpenCLIP's default
  refuses(t, 768, { ...siglip, timm_pool: 'map' }, /vision_cfg\.timm_proj: expected "none", found "linear"/);
  refuses(t, 512, { ...siglip, ...siglipPool }, /embed_dim: expected the tower's width, 768, found 512/);
  const giant = { ...siglip, ...siglipPool, image_size: 100_000 };
  refuses(t, 768, giant, /image_size: expected a side of at most 4096 pixels, found 100000/);
  const eva = { timm_model_name: 'eva02_base_patch16_clip_224', timm_pool: 'token' };
  refuses(t, 512, eva, /timm_proj: expected null: the tower has its own projection, found "linear"/);
});

test('other towers are refused by the names of their families', (t) => {
  for (const [name, message] of [
    ['fastvit_mci2', /MobileCLIP, .*choose timm\/MobileCLIP2-L-14-OpenCLIP/],
    ['vit_base_mci_224', /MobileCLIP, /],
    ['convnext_large', /ConvNeXt, .*choose laion\//],
    ['vitamin_large_336', /ViTamin, .*choose laion\//],
    ['eva02_enormous_patch14_clip_224', /EVA-02-E, .*choose timm\/eva02_large/],
    ['vit_base_patch16_siglip_gap_224', /found "vit_base_patch16_siglip_gap_224"; choose another model/],
    ['vit_constructor_patch16_siglip_224', /found "vit_constructor/],
  ] as const) {
    refuses(t, 512, { timm_model_name: name, ...tokenPool }, message);
  }
});

function refuses(
  { assert }: TestContext,
  projection: number,
  part: Readonly<Record<string, unknown>>,
  message: RegExp,
): void {
  assert.throws(() => read(projection, part), { code: 'bad-config', message });
}
