/** The models that an export consists of: both towers, and for composed queries the text tower with pseudo tokens, and phi. */

import {
  type Clip,
  type ClipConfig,
  parametersOf,
  plainTextTower,
  plainVisionTower,
} from '../../clip/index.ts';
import type { Float32Tensor, RandomAccess } from '../../core/index.ts';
import { input, l2Normalize, type Value, weight } from '../../onnx/index.ts';
import { phiGraph, type StoredPhi } from '../../phi/index.ts';

/** Names of models, as files are called without their ending. */
export type ModelName = 'vision_model' | 'text_model' | 'text_model_with_pseudo_tokens' | 'phi';

type Outputs = Readonly<Record<string, Value>>;

/** @param areSiglip whether transformers has the model as a SigLIP, whose embeddings it calls `pooler_output` */
export function exportedGraphs(
  clip: Pick<Clip, 'checkpoint' | 'tokenizer'> & { readonly config: ClipConfig },
  phi: StoredPhi | undefined,
  areSiglip: boolean,
): ReadonlyMap<ModelName, Outputs> {
  const { text, vision } = clip.config;
  const parameter = parametersOf(clip.checkpoint.tensors);
  const named = (outputs: Outputs): Outputs =>
    areSiglip ? { ...outputs, pooler_output: Object.values(outputs)[0]! } : outputs;
  const graphs = new Map<ModelName, Outputs>();
  if (vision) graphs.set('vision_model', named(plainVisionTower(vision, parameter)));
  if (text) graphs.set('text_model', named(plainTextTower(text, parameter)));
  if (text && phi) {
    const composing = plainTextTower(text, parameter, clip.tokenizer.placeholder.id);
    graphs.set('text_model_with_pseudo_tokens', named(composing));
    graphs.set('phi', plainPhi(phi));
  }
  return graphs;
}

/** `pseudo_tokens` from `image_embeds`, which are not scaled to length 1. */
function plainPhi({ info, parameters }: StoredPhi): Outputs {
  const { shape } = info;
  const embeddings = input('image_embeds', 'float32', ['batch_size', shape.input]);
  const weights = new Map([...parameters].map(([name, tensor]) => [name, weightOf(name, tensor)]));
  return { pseudo_tokens: phiGraph(info.l2Normalize ? l2Normalize(embeddings) : embeddings, shape, weights) };
}

function weightOf(name: string, { shape, data }: Float32Tensor): Value {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const source: RandomAccess = {
    name,
    size: bytes.length,
    read: async (offset, length) => Uint8Array.from(bytes.subarray(offset, offset + length)),
  };
  return weight({ name, type: 'float32', shape, source, offset: 0, byteLength: bytes.length });
}
