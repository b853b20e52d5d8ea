/** Descriptions of models of other kinds, which are refused by the names of their families. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openClipModel } from './model.ts';

const refuses = (change: object, message: RegExp) => {
  const model_cfg = { embed_dim: 512, vision_cfg: {}, text_cfg: {}, ...change };
  const description = { json: { model_cfg }, file: 'open_clip_config.json', otherConfig: undefined };
  assert.throws(() => openClipModel(description, async () => new Map()), { code: 'bad-config', message });
};

test('CoCa, ResNets and convolutions are refused by their names', () => {
  refuses(
    { multimodal_cfg: { width: 512 } },
    /multimodal_cfg: expected none: this is a CoCa, .*Choose another/,
  );
  refuses(
    { vision_cfg: { layers: [3, 4, 6, 3], width: 64, patch_size: null } },
    /vision_cfg\.layers: .* a ResNet/,
  );
  refuses({ vision_cfg: { no_ln_pre: true } }, /no_ln_pre: .*CLIPA's/);
  refuses({ vision_cfg: { timm_model_name: 'convnext_base' } }, /timm_model_name: .*CLIP with ConvNeXt/);
});

test("towers of SigLIP's in other languages fill up texts as mC4's tokenizer does", () => {
  const text_cfg = {
    vocab_size: 250000,
    hf_tokenizer_name: 'timm/ViT-B-16-SigLIP-i18n-256',
    no_causal_mask: true,
  };
  const model_cfg = { embed_dim: 512, vision_cfg: {}, text_cfg: { ...text_cfg, pool_type: 'last' } };
  const { config } = openClipModel({ json: { model_cfg }, file: 'config' }, async () => new Map());
  const { padding, endOfText, pooling } = config.text!;
  assert.deepEqual([padding, endOfText, pooling], [1, 1, 'last']);
});
