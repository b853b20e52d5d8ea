/** The models of an export: both towers, alone and in one; for composed queries the text tower with pseudo tokens, and phi. */

import {
  type Clip,
  type ClipConfig,
  parametersOf,
  plainTextTower,
  plainTowersInOne,
  plainVisionTower,
} from '../../clip/index.ts';
import { type Float32Tensor, LincirError, option, type RandomAccess } from '../../core/index.ts';
import { input, l2Normalize, type Value, weight } from '../../onnx/index.ts';
import { phiGraph, type StoredPhi } from '../../phi/index.ts';
import type { ExportOnnxOptions } from './export.ts';

/** Names of models, as files are called without their ending. */
export type ModelName = 'vision_model' | 'text_model' | 'text_model_with_pseudo_tokens' | 'phi' | 'model';

type Outputs = Readonly<Record<string, Value>>;

type ExportedClip = Pick<Clip, 'checkpoint' | 'tokenizer'> & { readonly config: ClipConfig };

/**
 * @param areSiglip whether transformers has the model as a SigLIP, whose embeddings it calls `pooler_output`
 * @param zeroShot whether to have both towers in one as well
 */
export function exportedGraphs(
  clip: ExportedClip,
  phi: StoredPhi | undefined,
  { areSiglip, zeroShot }: { readonly areSiglip: boolean; readonly zeroShot: boolean },
): ReadonlyMap<ModelName, Outputs> {
  const { text, vision } = clip.config;
  const parameter = parametersOf(clip.checkpoint.tensors);
  const named = (outputs: Outputs): Outputs =>
    areSiglip ? { ...outputs, pooler_output: Object.values(outputs)[0]! } : outputs;
  const graphs = new Map<ModelName, Outputs>();
  if (vision) graphs.set('vision_model', named(plainVisionTower(vision, parameter)));
  if (text) graphs.set('text_model', named(plainTextTower(text, parameter)));
  if (text && phi) {
    const composing = plainTextTower(text, parameter, { placeholder: clip.tokenizer.placeholder.id });
    graphs.set('text_model_with_pseudo_tokens', named(composing));
    graphs.set('phi', plainPhi(phi));
  }
  if (zeroShot) graphs.set('model', towersInOne(clip));
  return graphs;
}

function towersInOne({ checkpoint, tokenizer, config }: ExportedClip): Outputs {
  const { text, vision } = config;
  const missing = (expected: string, found: string) =>
    new LincirError('bad-argument', {
      ...{ subject: option<ExportOnnxOptions>('zeroShot'), expected, found },
      todo: 'leave it out, and compare cosines',
    });
  if (!text || !vision) throw missing('a model with both towers', text ? 'a text tower' : 'a vision tower');
  if (!checkpoint.tensors.has('logit_scale')) throw missing('a model with a tensor logit_scale', 'none');
  return plainTowersInOne({ text, vision }, checkpoint.tensors, text.padding ?? tokenizer.endOfText);
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
