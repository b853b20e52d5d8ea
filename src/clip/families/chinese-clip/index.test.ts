/** Reads configurations of Chinese-CLIP, refuses others, and prepares pictures as its own library does. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryFiles } from '../../../../test/fuzz/memory-file.ts';
import { folderFiles } from '../../../files/index.ts';
import { loadPreprocessing, preprocessImage } from '../../preprocess.ts';
import { openTowers, readClipConfig } from '../index.ts';
import { chineseClip } from './index.ts';

const fixtures = join(import.meta.dirname, '../../../../test/fixtures');
const folder = join(fixtures, 'tiny-chinese-clip');
const read = (json: object) => readClipConfig({ model_type: 'chinese_clip', ...json }, 'config.json');

test('what a config leaves out is as in transformers', () => {
  const { text, vision } = read({ text_config: { vocab_size: 21128 } });
  assert.deepEqual(text, {
    kind: 'bert',
    ...{ width: 768, heads: 12, layers: 12, feedForward: 3072, activation: 'gelu', epsilon: 1e-12 },
    ...{ projection: 512, vocabulary: 21128, positions: 512, endOfText: 'last' },
    ...{ attention: 'toEnd', padding: 0, pooling: 'first' },
  });
  assert.deepEqual([vision?.patchSize, vision?.activation, vision?.projection], [32, 'quick_gelu', 512]);
});

test('what its text tower cannot compute is refused', () => {
  const refuses = (text_config: object, message: RegExp) =>
    assert.throws(() => read({ text_config }), { code: 'bad-config', message });
  refuses({ hidden_act: 'relu' }, /text_config\.hidden_act: expected "gelu"/);
  refuses({ position_embedding_type: 'relative_key' }, /position_embedding_type/);
  refuses({ num_attention_heads: 7 }, /a multiple of 7 heads/);
});

test('weights of another length than the config says are refused by name', async () => {
  const names = ['config.json', 'model.safetensors'] as const;
  const files = new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
  );
  const config = JSON.parse(files.get('config.json')!.toString());
  config.text_config.max_position_embeddings = 63;
  files.set('config.json', Buffer.from(JSON.stringify(config)));
  await assert.rejects(openTowers(memoryFiles(files)), {
    code: 'bad-file',
    message: /position_embedding.*expected shape \[63, 24\].*found \[64, 24\]/,
  });
});

test('pictures lose their proportions as in transformers, to the bit', async () => {
  const files = folderFiles(folder);
  const { config } = await openTowers(files);
  const preprocessing = await loadPreprocessing(files, config.vision!, chineseClip.processor);
  const values = await preprocessImage(join(fixtures, 'images/landscape.png'), preprocessing);
  assert.deepEqual(Buffer.from(values.buffer), await readFile(join(folder, 'landscape.f32')));
});
