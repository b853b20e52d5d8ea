/** Model cards: what is known stands in them, what is not is left out, and nothing breaks out of its cell. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeJsonFile } from '../files/index.ts';
import { initialPhi, type PhiInfo } from '../phi/index.ts';
import { readRunConfig } from '../training/index.ts';
import { type CardFile, isOurCard, modelCard } from './card.ts';
import type { PhiFacts } from './facts.ts';

const shape = { architecture: 'lincir', input: 6, hidden: 24, output: 8 } as const;
const file: CardFile = { name: 'phi.pt', layout: 'lincir', sha256: 'ab'.repeat(32), licence: 'other' };

const folder = await mkdtemp(join(tmpdir(), 'lincir-card-'));
after(() => rm(folder, { recursive: true }));

function factsOf(info: Partial<PhiInfo> = {}, others: Partial<PhiFacts> = {}): PhiFacts {
  return {
    info: { shape, l2Normalize: false, ...info },
    parameters: initialPhi(shape, 0),
    evaluations: [],
    ...others,
  };
}

test('of a bare file, a card says little, and nothing that is not known', () => {
  const card = modelCard(factsOf(), file);
  const [, header] = card.split('---\n');
  const tags = ['composed-image-retrieval', 'image-retrieval', 'textual-inversion', 'lincir'];
  assert.equal(
    header,
    `license: other\nlibrary_name: lincir\ntags:\n${tags.map((tag) => `- ${tag}\n`).join('')}`,
  );
  assert.ok(isOurCard(card) && !isOurCard('# lincir\nlibrary_name: lincir\n'));
  assert.doesNotMatch(
    card,
    /undefined|null|NaN|## Training|## Evaluation|fingerprint \||steps|huggingface_hub/,
  );
});

test('base model, data sets and licence are told to the hub', async () => {
  const source = (name: string, captions: number) => ({
    ...{
      name,
      origin: name,
      weight: 0.5,
      bytes: 9,
      version: '1 text',
      captions,
      leftOut: 0,
      sha256: 'cd'.repeat(32),
    },
  });
  const gcc = `hf://datasets/dangne/gcc_caption_only@${'1'.repeat(40)}/data/0.parquet`;
  const captions = [
    source(gcc, 1_000_000),
    source(gcc.replace('0.parquet', '1.parquet'), 5),
    source('/home/me/a|b.txt', 7),
  ];
  await writeJsonFile(join(folder, 'config.json'), {
    ...{
      format: 'lincir-run',
      version: 1,
      phi: shape,
      versions: { lincir: '1', 'onnxruntime-node': '2' },
      begun: '',
    },
    settings: { model: 'large', captions: ['lincir'], precision: 'float16' },
    model: { id: null, folder: 'a', fingerprint: 'f' },
    captions,
  });
  const run = { config: await readRunConfig(folder), kind: 'ema' as const, validations: [] };
  const info = { model: 'openai/clip-vit-large-patch14', fingerprint: '0123456789abcdef', step: 20_000 };
  const card = modelCard(factsOf(info, { run }), { ...file, id: 'me/phi', licence: 'mit' });
  for (const line of [
    'license: mit',
    'base_model: "openai/clip-vit-large-patch14"',
    'base_model_relation: adapter',
    'datasets:',
    '- "dangne/gcc_caption_only"',
    '# phi',
    '| training | 20,000 steps |',
    '| weights | their moving average |',
    '| precision | float16 |',
    '1,000,012 captions. The weight says how often a source comes in an epoch.',
    '| `a\\|b.txt` | 7 | 0.5 | `cdcdcdcdcdcdcdcd` |',
    "| the model, lincir's fingerprint | `0123456789abcdef` |",
    'lincir index photos --index photos.lance --model openai/clip-vit-large-patch14',
    "lincir search --index photos.lance --phi me/phi --image dog.jpg --text 'is swimming'",
  ]) {
    assert.ok(card.split('\n').includes(line), `${line}\n${card}`);
  }
  assert.equal(card.match(/^- "dangne/gm)?.length, 1);
  assert.match(
    card,
    /datasets\/dangne\/gcc_caption_only\), `data\/0\.parquet` at `11111111` \| 1,000,000 \|/,
  );
  assert.ok(!card.includes('/home/me'));
});

test("others' texts stay in their cells", () => {
  const figures = { 'R@1': { value: 0.12345, low: 0.1, high: 0.2 } };
  const evaluation = {
    ...{ preset: 'custom', limit: 20, images: 4000, metrics: ['R@1'], queries: 20, figures },
    ...{ prompt: 'a `$` | that\n{text}', deviations: ['target pad 1.25', 'int8'] },
  };
  const card = modelCard(factsOf({}, { evaluations: [evaluation] }), file);
  const row =
    '| custom, **only 20 queries**, target pad 1.25, int8 | 20 | 4,000 | `a  $  \\| that {text}` | R@1 12.35 |';
  assert.ok(card.split('\n').includes(row), card);
});

test('phi for embeddings of length 1 scales them, and Pic2Word has its own network', () => {
  const scaled = modelCard(factsOf({ l2Normalize: true }), file);
  assert.match(scaled, /nn\.functional\.normalize\(image_embeds, dim=-1\)/);
  assert.match(scaled, /\| takes \| embeddings scaled to length 1 \|/);
  const pic2word = { ...shape, architecture: 'pic2word' } as const;
  const card = modelCard(factsOf({ shape: pic2word }), { ...file, layout: 'pic2word' });
  assert.match(card, /self\.fc_out = nn\.Linear\(24, 8\)/);
  assert.match(card, /checkpoint\['state_dict_img2text'\]/);
  assert.doesNotMatch(card, /checkpoint\['Phi'\]/);
});
