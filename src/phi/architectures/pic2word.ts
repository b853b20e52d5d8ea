/** Pic2Word's phi (Saito et al., 2023, section 3.2): linear, dropout, ReLU, twice, then linear. */

import type { Architecture } from './architecture.ts';

export const pic2word: Architecture = {
  layers: ['layers.0.0', 'layers.1.0', 'fc_out'],
  published: { key: 'state_dict_img2text', prefix: 'module.' },
  hidden: () => 512,
  dropout: 0.1,
  activate: ({ relu }, x, drop) => relu(drop(x)),
};
