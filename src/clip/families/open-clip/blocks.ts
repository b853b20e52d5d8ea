/** The tensors of a layer of OpenCLIP's transformer, under the names of CLIPModel. Queries, keys and values are fused there. */

import type { StoredTensor } from '../../../core/index.ts';
import { rowParts } from '../../views.ts';

const names: Readonly<Record<string, string>> = {
  ln_1: 'layer_norm1',
  ln_2: 'layer_norm2',
  'attn.out_proj': 'self_attn.out_proj',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
};

/**
 * @param name without the tower's own prefix: `transformer.resblocks.0.ln_1.weight`
 * @param tower `text_model` or `vision_model`
 * @returns undefined for a tensor of no layer
 */
export function blockTensors(
  name: string,
  stored: StoredTensor,
  tower: string,
): readonly [string, StoredTensor][] | undefined {
  const [, layer, part = '', kind] =
    /^transformer\.resblocks\.(\d+)\.(.+?)[._](weight|bias)$/.exec(name) ?? [];
  if (layer === undefined) return undefined;
  const path = `${tower}.encoder.layers.${layer}.`;
  if (part === 'attn.in_proj') {
    return rowParts(stored, 3).map((rows, at) => [`${path}self_attn.${'qkv'[at]}_proj.${kind}`, rows]);
  }
  return [[`${path}${names[part] ?? part}.${kind}`, stored]];
}
