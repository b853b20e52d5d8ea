/** The models and phis that the page offers: those that a browser can hold, and what a person should know before a download. */

import { modelPresets, type PhiPreset, phiPresets } from '../../../../src/hub/choices.ts';

/** WebAssembly holds 4 GB, and both towers must fit in with their work. */
const mostMillions = 900;

export const offeredModels = modelPresets.filter(({ millions }) => millions <= mostMillions);
export type OfferedModel = (typeof offeredModels)[number];

/** What to say of the first ones beside their facts. */
const remarks: Readonly<Record<string, string>> = {
  base: 'Quick. A good one to begin with.',
  large: 'Finds more, and takes about five times as long. LinCIR’s own phi is for this model.',
  'siglip2-base': 'Understands many languages.',
};

export const firstModels = offeredModels.filter(({ name }) => name in remarks);
export const furtherModels = offeredModels.filter(({ name }) => !(name in remarks));

export function remarkOn({ name }: OfferedModel): string | undefined {
  return remarks[name];
}

/** Bytes of its weights in float32. */
export function roughBytes({ millions }: OfferedModel): number {
  return millions * 4e6;
}

/** Published phis for a model that are on the hub: the page may talk to no other host. */
export function phisFor(model: string | undefined): readonly PhiPreset[] {
  return phiPresets.filter((phi) => phi.model === model && phi.id !== undefined);
}
