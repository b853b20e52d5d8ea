/** CLIP in the layout of transformers: OpenAI's, LAION's, MetaCLIP, BGE-VL, and each tower alone. */

import type { Family } from '../family.ts';
import { readTowers, textSchema } from './schema.ts';

// Configs from before transformers 4.31 always say 2, and mean the largest id.
const text = textSchema((id) => (id === 2 ? 'largest' : id));

export const clip: Family = {
  name: 'CLIP',
  modelTypes: ['clip', 'clip_text_model', 'clip_vision_model'],
  readConfig: (json, file) => readTowers(json, file, 'clip', text),
};
