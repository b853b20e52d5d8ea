/** LinCIR's phi (Gu et al., 2024, section 3.3): linear, GELU, dropout, twice, then linear. */

import type { Architecture } from './architecture.ts';

export const lincir: Architecture = {
  layers: ['layers.0', 'layers.3', 'layers.6'],
  published: { key: 'Phi', prefix: '' },
  hidden: (input) => 4 * input,
  dropout: 0.5,
  activate: ({ gelu }, x, drop) => drop(gelu(x)),
};
