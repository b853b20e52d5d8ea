/** BERT's tensors under the names that our towers use, for all families with a BERT as their text tower. */

import type { StoredTensor } from '../../core/index.ts';
import { renamed, rowRange } from '../views.ts';

const parts = [
  [/^embeddings\.position_embeddings\./, 'embeddings.position_embedding.'],
  [/^embeddings\.word_embeddings\./, 'embeddings.token_embedding.'],
  [/^embeddings\.LayerNorm\./, 'embeddings.layer_norm.'],
  [/^encoder\.layer\./, 'encoder.layers.'],
  [/\.attention\.self\.query\./, '.self_attn.q_proj.'],
  [/\.attention\.self\.key\./, '.self_attn.k_proj.'],
  [/\.attention\.self\.value\./, '.self_attn.v_proj.'],
  [/\.attention\.output\.dense\./, '.self_attn.out_proj.'],
  [/\.attention\.output\.LayerNorm\./, '.layer_norm1.'],
  [/\.intermediate\.dense\./, '.mlp.fc1.'],
  [/\.output\.dense\./, '.mlp.fc2.'],
  [/\.output\.LayerNorm\./, '.layer_norm2.'],
] as const;

/**
 * @param name in transformers' `BertModel`, whose name `XLMRobertaModel` shares
 * @returns none for the pooler, which no embedding uses
 */
export function bertTensors(name: string, stored: StoredTensor): [string, StoredTensor][] {
  if (name.startsWith('pooler.')) return [];
  if (name === 'embeddings.token_type_embeddings.weight') {
    return [renamed(rowRange(stored, 0, 1), 'text_model.embeddings.token_type_embedding.weight')];
  }
  const canonical = parts.reduce((found, [from, to]) => found.replace(from, to), name);
  return [renamed(stored, `text_model.${canonical}`)];
}
