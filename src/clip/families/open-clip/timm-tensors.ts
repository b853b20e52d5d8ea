/** The tensors of timm's vision towers under the names of CLIPModel, as views of the file. */

import type { StoredTensor } from '../../../core/index.ts';
import { rowParts } from '../../views.ts';

type Named = [string, StoredTensor];

const parts: Readonly<Record<string, string>> = {
  'patch_embed.proj': 'embeddings.patch_embedding',
  norm_pre: 'pre_layrnorm',
  norm: 'post_layernorm',
  'attn_pool.q': 'head.attention.q_proj',
  'attn_pool.proj': 'head.attention.out_proj',
  'attn_pool.norm': 'head.layernorm',
  'attn_pool.mlp.fc1': 'head.mlp.fc1',
  'attn_pool.mlp.fc2': 'head.mlp.fc2',
};

const partsOfLayer: Readonly<Record<string, string>> = {
  norm1: 'layer_norm1',
  norm2: 'layer_norm2',
  'attn.q': 'self_attn.q_proj', // a bias of its own, beside fused weights
  'attn.v': 'self_attn.v_proj',
  'attn.q_proj': 'self_attn.q_proj',
  'attn.k_proj': 'self_attn.k_proj',
  'attn.v_proj': 'self_attn.v_proj',
  'attn.proj': 'self_attn.out_proj',
  'attn.norm': 'self_attn.layer_norm',
  'mlp.fc1_g': 'mlp.gate',
  'mlp.fc1_x': 'mlp.fc1',
  'mlp.norm': 'mlp.layer_norm',
};

/** @param name without `visual.`: `trunk.blocks.0.attn.qkv.weight` */
export function timmTensors(name: string, stored: StoredTensor): readonly Named[] {
  const inTrunk = /^trunk\.(.+)$/.exec(name)?.[1];
  if (inTrunk === undefined) return [[`vision_model.${name}`, stored]];
  if (inTrunk === 'cls_token') return [inTower('embeddings.class_embedding', squeezed(stored, 1))];
  if (inTrunk === 'pos_embed') return [inTower('embeddings.position_embedding.weight', squeezed(stored, 2))];
  if (inTrunk === 'attn_pool.latent') return [inTower('head.probe', stored)];
  const [, path = '', kind = ''] = /^(.+?)[._](weight|bias)$/.exec(inTrunk) ?? [];
  if (path === 'head') return [[`visual_projection.${kind}`, stored]];
  if (path === 'attn_pool.kv') return fused(stored, 'head.attention.', 'kv', kind);
  const [, layer, part = ''] = /^blocks\.(\d+)\.(.+)$/.exec(path) ?? [];
  return layer === undefined
    ? [inTower(parts[path] ? `${parts[path]}.${kind}` : inTrunk, stored)]
    : layerTensors(`encoder.layers.${layer}.`, part, kind, stored);
}

function layerTensors(layer: string, part: string, kind: string, stored: StoredTensor): readonly Named[] {
  return part === 'attn.qkv'
    ? fused(stored, `${layer}self_attn.`, 'qkv', kind)
    : [inTower(`${layer}${partsOfLayer[part] ?? part}.${kind}`, stored)];
}

/** Rows of several products, named by a letter each. */
function fused(stored: StoredTensor, path: string, letters: string, kind: string): Named[] {
  return rowParts(stored, letters.length).map((rows, at) =>
    inTower(`${path}${letters[at]}_proj.${kind}`, rows),
  );
}

function inTower(name: string, stored: StoredTensor): Named {
  return [`vision_model.${name}`, stored];
}

/** Without axes of size 1 at its beginning, until `rank` are left. */
function squeezed(stored: StoredTensor, rank: number): StoredTensor {
  const { shape, strides } = stored;
  const extra = Math.max(0, shape.length - rank);
  if (shape.slice(0, extra).some((size) => size !== 1)) return stored;
  return { ...stored, shape: shape.slice(extra), ...(strides && { strides: strides.slice(extra) }) };
}
