/** MetaCLIP 2: CLIP's towers for texts in all languages, in the layout of transformers (Chuang et al., 2025). */

import { readTowers, textSchema } from '../clip/schema.ts';
import type { Family } from '../family.ts';

// Its end of text has the id 2. In configs of CLIP, 2 means something else.
const text = textSchema((id) => id);

export const metaclip2: Family = {
  name: 'MetaCLIP 2',
  modelTypes: ['metaclip_2', 'metaclip_2_text_model', 'metaclip_2_vision_model'],
  readConfig: (json, file) => readTowers(json, file, 'metaclip_2', text),
};
