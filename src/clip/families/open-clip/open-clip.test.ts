/** OpenCLIP's configuration: what it leaves out, and what is refused by its key. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryFile } from '../../../../test/fuzz/memory-file.ts';
import { LincirError, type ModelFiles } from '../../../core/index.ts';
import { folderFiles } from '../../../files/index.ts';
import { preprocessImage } from '../../preprocess.ts';
import { findModel, openTowers } from '../index.ts';

const folder = join(import.meta.dirname, '../../../../test/fixtures/tiny-open-clip');
const { model_cfg, preprocess_cfg } = JSON.parse(
  await readFile(join(folder, 'open_clip_config.json'), 'utf8'),
);

/** The tiny model with another configuration, and under another name. */
function filesOf(config: object, name = '/models/tiny', others: Record<string, object> = {}): ModelFiles {
  const written = new Map(Object.entries({ 'open_clip_config.json': config, ...others }));
  const stored = folderFiles(folder);
  return {
    name,
    read: async (file) =>
      written.has(file)
        ? memoryFile(Buffer.from(JSON.stringify(written.get(file))), file)
        : await stored.read(file),
  };
}

const find = async (model: object, name?: string, preprocess: object = preprocess_cfg) =>
  (await findModel(filesOf({ model_cfg: model, preprocess_cfg: preprocess }, name)))!;

const refuses = async (work: Promise<unknown>, message: RegExp) =>
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof LincirError);
    assert.match(error.message, message);
    return true;
  });
const withText = (part: object) => ({ ...model_cfg, text_cfg: { ...model_cfg.text_cfg, ...part } });
const withVision = (part: object) => ({ ...model_cfg, vision_cfg: { ...model_cfg.vision_cfg, ...part } });

test('what a configuration leaves out is as in OpenCLIP', async () => {
  const { config } = await find({ embed_dim: 512, vision_cfg: {}, text_cfg: {} });
  const tower = { layers: 12, activation: 'gelu', epsilon: 1e-5, projection: 512 };
  assert.deepEqual(config.text, {
    ...{ ...tower, width: 512, heads: 8, feedForward: 2048 },
    ...{ vocabulary: 49408, positions: 77, endOfText: 'largest' },
  });
  assert.deepEqual(config.vision, {
    ...{ ...tower, width: 768, heads: 12, feedForward: 3072 },
    ...{ imageSize: 224, patchSize: 16, channels: 3 },
  });
});

test('every key that changes the result is followed', async () => {
  const text = (
    await find(withText({ mlp_ratio: 3.7362, norm_kwargs: { eps: 1e-6 }, pool_type: 'eos', eos_id: 7 }))
  ).config.text;
  assert.deepEqual([text?.feedForward, text?.epsilon, text?.endOfText], [119, 1e-6, 7]);
  const tanh = await find({ ...withText({ act_kwargs: { approximate: 'tanh' } }), quick_gelu: false });
  assert.deepEqual([tanh.config.text?.activation, tanh.config.vision?.activation], ['gelu_tanh', 'gelu']);
  const siglip = { vocab_size: 32000, no_causal_mask: true, pool_type: 'last', proj_bias: true };
  const { attention, padding, pooling, projectionBias, endOfText } = (await find(withText(siglip))).config
    .text!;
  assert.deepEqual(
    [attention, padding, pooling, projectionBias, endOfText],
    ['everywhere', 1, 'last', true, 1],
  );
  assert.equal((await find(withVision({ head_width: 16 }))).config.vision?.heads, 2);
});

test('what would change the result otherwise is refused by its key', async () => {
  for (const [model, message] of [
    [{ ...model_cfg, multimodal_cfg: {} }, /model_cfg\.multimodal_cfg/],
    [withText({ embed_cls: true }), /text_cfg\.embed_cls.*CoCa/],
    [withText({ ls_init_value: 0.1 }), /text_cfg\.ls_init_value/],
    [withText({ pool_type: 'first' }), /text_cfg/],
    [
      withText({ no_causal_mask: true, vocab_size: 64000, hf_tokenizer_name: 'a/b' }),
      /a tokenizer of 64000 tokens/,
    ],
    [withText({ proj_type: 'none' }), /text_cfg\.proj_type/],
    [withText({ new_key: 1 }), /text_cfg\.new_key: expected no such key/],
    [withText({ act_kwargs: { approximate: 'tanh' } }), /act_kwargs: expected none beside quick_gelu/],
    [withVision({ pool_type: 'avg' }), /vision_cfg\.pool_type/],
    [withVision({ attentional_pool: true }), /vision_cfg\.attentional_pool/],
    [withVision({ no_ln_pre: true }), /vision_cfg\.no_ln_pre/],
    [withVision({ layers: [3, 4, 6, 3] }), /a ResNet/],
    [withVision({ qk_norm: true }), /vision_cfg\.qk_norm/],
    [withVision({ image_size: [32, 64] }), /vision_cfg\.image_size/],
    [{ ...model_cfg, embed_dim: 0 }, /model_cfg\.embed_dim/],
  ] as const) {
    await refuses(find(model), message);
  }
  await refuses(find(model_cfg, undefined, { resize_mode: 'fold' }), /preprocess_cfg\.resize_mode/);
  await refuses(find(model_cfg, undefined, { gamma: 2 }), /preprocess_cfg\.gamma/);
});

test('weights of another model are refused by their tensors', async () => {
  const open = (model: object) => openTowers(filesOf({ model_cfg: model }));
  await refuses(open(withVision({ layers: 1 })), /visual\.transformer\.resblocks\.1/);
  const { checkpoint } = await openTowers(filesOf({ model_cfg }));
  assert.ok(checkpoint.tensors.has('text_model.encoder.layers.1.self_attn.v_proj.bias'));
});

test("in a repository of both layouts, a known family's config.json counts", async () => {
  const config = { model_cfg, preprocess_cfg };
  const familyWith = async (others: Record<string, object>) =>
    (await findModel(filesOf(config, 'a', others)))?.family;
  assert.equal(await familyWith({ 'config.json': { architecture: 'vit_base' } }), 'OpenCLIP');
  assert.equal(await familyWith({ 'config.json': { model_type: 'clip' }, 'model.safetensors': {} }), 'CLIP');
  assert.equal(await familyWith({ 'config.json': { model_type: 'clip' } }), 'OpenCLIP');
});

test('images are cropped as torchvision does: at the even one of two pixels', async () => {
  const preprocessing = (await (await find(model_cfg)).openPreprocessing?.())!;
  for (const [width, left] of [
    [33, 0],
    [34, 1],
    [35, 2],
    [37, 2],
    [39, 4],
  ] as const) {
    const data = Uint8Array.from({ length: 3 * width * 32 }, (_, at) => Math.floor(at / 3) % width);
    const [first] = await preprocessImage({ data, width, height: 32 }, preprocessing);
    const column = (first! * preprocessing.deviation[0] + preprocessing.mean[0]) * 255;
    assert.equal(Math.abs(Math.round(column)), left, `${width} pixels wide`);
  }
});
