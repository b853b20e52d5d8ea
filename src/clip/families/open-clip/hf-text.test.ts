/** Reads text towers that OpenCLIP's configuration only names, and refuses those that nothing here computes. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryFiles } from '../../../../test/fuzz/memory-file.ts';
import type { TextConfig } from '../../config.ts';
import { loadTokenizer } from '../../tokenizer.ts';
import { hfText } from './hf-text.ts';

const shared = { projection: 512, quickGelu: false, file: 'open_clip_config.json', within: 'text_cfg' };
const otherConfig = (json: object) => ({ ...shared, otherConfig: { json, file: 'config.json' } });
const read = (part: object, given = shared): TextConfig => hfText.readConfig({ ...part }, given);
const refuses = (part: object, message: RegExp, given = shared) =>
  assert.throws(() => read(part, given), { code: 'bad-config', message });

test('a model is known by its name, with and without its owner', () => {
  const expected: TextConfig = {
    kind: 'bert',
    ...{ width: 768, heads: 12, layers: 12, feedForward: 3072, activation: 'gelu', epsilon: 1e-5 },
    ...{ projection: 512, vocabulary: 250002, positions: 77, positionTable: { rows: 514, first: 2 } },
    ...{ endOfText: 'last', attention: 'toEnd', padding: 1, pooling: 'mean', projectionBetween: 640 },
  };
  // As LAION's file has it, and as later versions write it.
  assert.deepEqual(
    read({ hf_model_name: 'xlm-roberta-base', proj: 'mlp', pooler_type: 'mean_pooler' }),
    expected,
  );
  assert.deepEqual(read({ hf_model_name: 'FacebookAI/xlm-roberta-base', hf_proj_type: 'mlp' }), expected);
  const large = read({ hf_model_name: 'xlm-roberta-large' }, { ...shared, projection: 1024 });
  assert.deepEqual([large.width, large.heads, large.layers, large.projectionBetween], [1024, 16, 24, 1024]);
});

test('BERT counts positions from 0, and a linear projection has no width between', () => {
  const { positionTable, padding, pooling, projectionBetween } = read({
    hf_model_name: 'bert-base-uncased',
    hf_pooler_type: 'cls_last_hidden_state_pooler',
    hf_proj_type: 'linear',
  });
  assert.deepEqual(
    [positionTable, padding, pooling, projectionBetween],
    [{ rows: 512, first: 0 }, 0, 'first', undefined],
  );
});

test('another model is read from its config.json, and refused by its name without', () => {
  const json = {
    model_type: 'roberta',
    vocab_size: 900,
    max_position_embeddings: 130,
    pad_token_id: 1,
    hidden_size: 96,
  };
  const { vocabulary, width } = read({ hf_model_name: 'owner/small' }, otherConfig(json));
  assert.deepEqual([vocabulary, width], [900, 96]);
  const small = { hf_model_name: 'owner/small' };
  refuses(small, /hf_model_name: expected xlm-roberta-base.*found "owner\/small".*config\.json/);
  refuses(small, /^config\.json: model_type: .*"m2m_100"/, otherConfig({ ...json, model_type: 'm2m_100' }));
});

test('translators are refused by the names of their families', () => {
  refuses({ hf_model_name: 'facebook/nllb-200-distilled-600M' }, /NLLB-CLIP, .*choose another model of many/);
  refuses({ hf_model_name: 'google/mt5-base' }, /a CLIP with a T5 .*choose another model of many/);
});

test('poolings, projections and lengths that nothing here computes are refused', () => {
  const part = { hf_model_name: 'xlm-roberta-base' };
  refuses({ ...part, hf_pooler_type: 'max_pooler' }, /text_cfg\.hf_pooler_type: expected "mean_pooler" or/);
  refuses({ ...part, hf_proj_type: 'none' }, /text_cfg\.hf_proj_type: expected "mlp" or "linear"/);
  refuses({ ...part, context_length: 513 }, /text_cfg\.context_length: expected at most 512, found 513/);
  refuses({ ...part, tokenizer_kwargs: { strip_sep_token: true } }, /strip_sep_token/);
});

test('OpenCLIP cleans the texts, though the config.json beside is that of another library', async () => {
  const folder = join(import.meta.dirname, '../../../../test/fixtures/tiny-open-clip-xlm');
  const names = ['config.json', 'open_clip_config.json', 'tokenizer.json', 'tokenizer_config.json'];
  const files = new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
  );
  const config = JSON.parse(files.get('open_clip_config.json')!.toString());
  const upper = 'EINE ROTE KATZE';
  const idsOf = async (clean: string) => {
    config.model_cfg.text_cfg.tokenizer_kwargs = { clean };
    files.set('open_clip_config.json', Buffer.from(JSON.stringify(config)));
    const { encode, maximum } = await loadTokenizer(memoryFiles(files));
    assert.equal(maximum, 48);
    return [encode(upper).ids, encode(upper.toLowerCase()).ids];
  };
  const [large, small] = await idsOf('lower');
  assert.deepEqual(large, small);
  const [kept, lower] = await idsOf('whitespace');
  assert.deepEqual(lower, small);
  assert.notDeepEqual(kept, lower);
});
