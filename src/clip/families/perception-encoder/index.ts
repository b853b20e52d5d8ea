/** Meta's own files of PE-Core: weights alone, whose shapes say what the towers are (Bolya et al., 2025). */

import { readWeights, type StoredTensor } from '../../../core/index.ts';
import type { TextConfig, VisionConfig } from '../../config.ts';
import { rowParts, transposedView } from '../../views.ts';
import { clipTokenizer, type Layout } from '../family.ts';
import { blockTensors } from '../open-clip/blocks.ts';
import { ownText } from '../open-clip/own-text.ts';
import { readOpenClipPreprocessing } from '../open-clip/preprocessing.ts';
import { badConfig, checkedTower } from '../schema.ts';

type Tensors = ReadonlyMap<string, StoredTensor>;
type Named = readonly [string, StoredTensor];

/** Of all published ones: heads are 64 wide, but in the largest; the pooling head has 8. */
const headWidths: ReadonlyMap<number, number> = new Map([[1536, 96]]);
const headWidth = 64;
const poolingHeads = 8;

const parts: Readonly<Record<string, string>> = {
  class_embedding: 'embeddings.class_embedding',
  positional_embedding: 'embeddings.position_embedding.weight',
  'conv1.weight': 'embeddings.patch_embedding.weight',
  'ln_pre.weight': 'pre_layrnorm.weight',
  'ln_pre.bias': 'pre_layrnorm.bias',
  'ln_post.weight': 'post_layernorm.weight',
  'ln_post.bias': 'post_layernorm.bias',
  'attn_pool.probe': 'head.probe',
};

const partsOfHead: Readonly<Record<string, string>> = {
  'attn.out_proj': 'attention.out_proj',
  layernorm: 'layernorm',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
};

export const perceptionEncoder: Layout = {
  async find(files) {
    if (files.single === undefined) return undefined;
    const { name } = files.single;
    const tensors: Tensors = new Map(
      [...(await readWeights(files.single))].map(([path, stored]) => [path.replace(/^module\./, ''), stored]),
    );
    if (!tensors.has('visual.attn_pool.probe')) return undefined;
    const vision = visionOf(tensors, name);
    const text = textOf(tensors, name, vision.projection);
    const preprocess = { interpolation: 'bilinear', resize_mode: 'squash', mean: 0.5, std: 0.5 };
    const preprocessing = readOpenClipPreprocessing(preprocess, name, vision);
    return {
      family: 'PE-Core',
      config: { text, vision },
      tokenizer: clipTokenizer,
      openWeights: async () => ({
        tensors: new Map(
          [...tensors].flatMap(([path, stored]) =>
            path.startsWith('visual.')
              ? inVision(path.slice('visual.'.length), stored)
              : path === 'logit_scale'
                ? []
                : ownText.canonical(path, stored, text),
          ),
        ),
      }),
      openPreprocessing: async () => preprocessing,
    };
  },
};

function visionOf(tensors: Tensors, file: string): VisionConfig {
  const size = sizesIn(tensors, file);
  const width = size('visual.conv1.weight', 0);
  const patchSize = size('visual.conv1.weight', 2);
  const classToken = tensors.has('visual.class_embedding');
  const side = Math.floor(Math.sqrt(size('visual.positional_embedding', 0) - (classToken ? 1 : 0)));
  return checkedTower(
    {
      width,
      heads: headsOf(width),
      layers: layersOf(tensors, 'visual.'),
      feedForward: size('visual.transformer.resblocks.0.mlp.c_fc.weight', 0),
      activation: 'gelu',
      epsilon: 1e-5,
      projection: size('visual.proj', 1),
      imageSize: side * patchSize,
      patchSize,
      channels: 3,
      pooling: 'attention',
      eva: {
        classToken,
        preNorm: true,
        keyBias: true,
        rotary: { side, first: classToken ? 1 : 0, order: 'columns' },
        head: { heads: poolingHeads, feedForward: size('visual.attn_pool.mlp.c_fc.weight', 0) },
      },
    },
    file,
  );
}

function textOf(tensors: Tensors, file: string, projection: number): TextConfig {
  const size = sizesIn(tensors, file);
  const [vocabulary, width] = [0, 1].map((axis) => size('token_embedding.weight', axis)) as [number, number];
  const part = {
    context_length: size('positional_embedding', 0),
    vocab_size: vocabulary,
    width,
    heads: Math.max(1, Math.floor(width / headWidth)),
    layers: layersOf(tensors, ''),
    mlp_ratio: size('transformer.resblocks.0.mlp.c_fc.weight', 0) / width,
  };
  return ownText.readConfig(part, { projection, quickGelu: false, file, within: 'text_cfg' });
}

/** @param name without `visual.` */
function inVision(name: string, stored: StoredTensor): readonly Named[] {
  if (name === 'proj') return [['visual_projection.weight', transposedView(stored)]];
  const [, part = '', kind] = /^attn_pool\.(.+?)[._](weight|bias)$/.exec(name) ?? [];
  if (part === 'attn.in_proj') {
    return rowParts(stored, 3).map((rows, at) => [
      `vision_model.head.attention.${'qkv'[at]}_proj.${kind}`,
      rows,
    ]);
  }
  const ofHead = partsOfHead[part];
  if (ofHead) return [[`vision_model.head.${ofHead}.${kind}`, stored]];
  return blockTensors(name, stored, 'vision_model') ?? [[`vision_model.${parts[name] ?? name}`, stored]];
}

function headsOf(width: number): number {
  return Math.max(1, Math.floor(width / (headWidths.get(width) ?? headWidth)));
}

function layersOf(tensors: Tensors, tower: string): number {
  const norm = new RegExp(`^${tower}transformer\\.resblocks\\.\\d+\\.ln_1\\.weight$`);
  return [...tensors.keys()].filter((name) => norm.test(name)).length;
}

/** The size of a tensor along an axis. */
function sizesIn(tensors: Tensors, file: string): (name: string, axis: number) => number {
  return (name, axis) => {
    const size = tensors.get(name)?.shape[axis];
    if (size !== undefined && size > 0) return size;
    throw badConfig(`${file}: ${name}`, 'as in PE-Core', size === undefined ? 'none' : 'an empty tensor');
  };
}
