/** Reads configurations as published models have them, and refuses what cannot be a CLIP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LincirError } from '../../../core/index.ts';
import { readClipConfig } from '../index.ts';

const read = (json: unknown) => readClipConfig(json, 'config.json');
const refuses = (json: unknown, message: RegExp) =>
  assert.throws(
    () => read(json),
    (error) => {
      assert.ok(error instanceof LincirError);
      assert.equal(error.code, 'bad-config');
      assert.match(error.message, message);
      return true;
    },
  );

test('what a config leaves out is as in transformers', () => {
  const { text, vision } = read({ model_type: 'clip' });
  assert.deepEqual(text, {
    width: 512,
    heads: 8,
    layers: 12,
    feedForward: 2048,
    activation: 'quick_gelu',
    epsilon: 1e-5,
    projection: 512,
    vocabulary: 49408,
    positions: 77,
    endOfText: 49407,
  });
  assert.equal(vision?.width, 768);
  assert.equal(vision?.patchSize, 32);
});

test('the twins of older configs win, and the whole model says what the projection is', () => {
  const { text, vision } = read({
    model_type: 'clip',
    projection_dim: 768,
    text_config: { hidden_size: 512, num_attention_heads: 12, projection_dim: 512 },
    text_config_dict: { hidden_size: 768 },
    vision_config: { hidden_size: 1024, num_attention_heads: 16 },
    vision_config_dict: null,
  });
  assert.equal(text?.width, 768);
  assert.equal(text?.projection, 768);
  assert.equal(vision?.width, 1024);
  assert.equal(vision?.projection, 768);
});

test('the twin of an older config has the defaults for what it leaves out', () => {
  const { text } = read({
    model_type: 'clip',
    text_config: { hidden_size: 1024, num_attention_heads: 16, hidden_act: 'gelu' },
    text_config_dict: { num_hidden_layers: 3 },
  });
  assert.deepEqual([text?.width, text?.heads, text?.layers, text?.activation], [512, 8, 3, 'quick_gelu']);
});

test('what transformers does not need is not needed', () => {
  for (const config of [
    { text_config: { hidden_size: 256 }, vision_config: {} },
    {
      model_type: null,
      text_config: { hidden_size: 256, dtype: 'float32' },
      dtype: 'float16',
      projection_dim: 512,
    },
    { model_type: 'clip', text_config: { hidden_size: 256, eos_token_id: [49407] }, vision_config: null },
  ]) {
    const { text, vision } = read(config);
    assert.deepEqual([text?.width, text?.endOfText, vision?.width], [256, 49407, 768]);
  }
});

test('an eos_token_id of 2 means the largest id', () => {
  assert.equal(read({ model_type: 'clip', text_config: { eos_token_id: 2 } }).text?.endOfText, 'largest');
  assert.equal(read({ model_type: 'clip', text_config: { eos_token_id: 3 } }).text?.endOfText, 3);
});

test('a tower of its own is a model without the other', () => {
  assert.equal(read({ model_type: 'clip_text_model', hidden_act: 'gelu' }).text?.activation, 'gelu');
  assert.equal(read({ model_type: 'clip_text_model' }).vision, undefined);
  assert.equal(read({ model_type: 'clip_vision_model', patch_size: 14 }).vision?.patchSize, 14);
});

test('other models are refused by their names', () => {
  refuses({ model_type: 'blip-2' }, /found "blip-2": BLIP, which also looks/);
  refuses({ model_type: 'siglip2' }, /found "siglip2": SigLIP 2 NaFlex/);
  refuses({ model_type: 'flava' }, /FLAVA/);
  refuses({ model_type: 'unheard' }, /found "unheard"; choose a checkpoint of one of these families: CLIP/);
});

test('what is no CLIP is refused by its field', () => {
  refuses({ model_type: 'bert' }, /^config\.json: model_type: expected clip.*found "bert"/);
  refuses({}, /model_type.*found none/);
  refuses([], /^config\.json: expected/);
  refuses('clip', /^config\.json: expected/);
  refuses({ model_type: 'clip', text_config: { hidden_act: 'relu' } }, /text_config\.hidden_act.*"relu"/);
  refuses({ model_type: 'clip', text_config: { hidden_size: 1e9 } }, /text_config\.hidden_size.*1000000000/);
  refuses({ model_type: 'clip', vision_config: { patch_size: 1.5 } }, /vision_config\.patch_size/);
  refuses(
    { model_type: 'clip', text_config: { hidden_size: 100, num_attention_heads: 8 } },
    /multiple of 8 heads/,
  );
  refuses(
    { model_type: 'clip', vision_config: { image_size: 8, patch_size: 16 } },
    /at least the patch size 16/,
  );
});
