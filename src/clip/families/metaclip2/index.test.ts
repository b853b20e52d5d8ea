/** Tells MetaCLIP 2's end of text from that of old configurations of CLIP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readClipConfig } from '../index.ts';

const read = (json: object) => readClipConfig(json, 'config.json');

test('an eos_token_id of 2 means 2 in MetaCLIP 2, and the largest id in CLIP', () => {
  const towers = { text_config: { eos_token_id: 2, vocab_size: 901629 }, vision_config: {} };
  assert.equal(read({ model_type: 'metaclip_2', ...towers }).text?.endOfText, 2);
  assert.equal(read({ model_type: 'clip', ...towers }).text?.endOfText, 'largest');
});

test('each of its towers is a model of its own, too', () => {
  const text = read({ model_type: 'metaclip_2_text_model', eos_token_id: [2], projection_dim: 384 });
  assert.deepEqual([text.text?.endOfText, text.text?.projection, text.vision], [2, 384, undefined]);
  assert.equal(read({ model_type: 'metaclip_2_vision_model', patch_size: 14 }).vision?.patchSize, 14);
});
