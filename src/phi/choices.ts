/** What users choose by name: phi's architectures, and schedules of the learning rate. */

import type { Architecture } from './architectures/architecture.ts';
import { lincir } from './architectures/lincir.ts';
import { pic2word } from './architectures/pic2word.ts';

/** A new architecture is a file in `architectures` and a line here. */
export const architectures = {
  lincir,
  searle: lincir, // Baldrati et al., 2023, section 3: the same network
  pic2word,
} satisfies Record<string, Architecture>;

export type PhiArchitecture = keyof typeof architectures;
export const phiArchitectures = Object.keys(architectures) as readonly PhiArchitecture[];

export { schedules } from './schedule.ts';
