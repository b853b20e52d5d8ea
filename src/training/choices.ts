/** Captions that are not in a file, by the names that users give. */

import type { MadeCaptions } from '../captions/index.ts';
import type { TrainingSettingsInput } from './settings.ts';

interface Made {
  readonly captions: MadeCaptions;
  /** Default settings for training on them. */
  readonly recipe: Partial<TrainingSettingsInput>;
}

/** Each is loaded when it is used. */
const made: Readonly<Record<string, () => Promise<Made>>> = {
  'mini:captions': async () => {
    const { madeMiniCaptions: captions, miniRecipe: recipe } = await import('../mini/index.ts');
    return { captions, recipe };
  },
};

export const madeNames = Object.keys(made);

/** Undefined for the name of a file. */
export async function madeCaptions(name: string): Promise<MadeCaptions | undefined> {
  return madeNames.includes(name) ? (await made[name]!()).captions : undefined;
}

/** Default settings for captions, each with or without `:WEIGHT`, if none of them are in a file. */
export async function recipeFor(captions: readonly string[] = []): Promise<Partial<TrainingSettingsInput>> {
  const names = captions.map((spec) => spec.replace(/:[\d.]+$/, ''));
  if (names.length === 0 || !names.every((name) => madeNames.includes(name))) return {};
  return (await made[names[0]!]!()).recipe;
}

/** Where a machine that lends its devices answers. */
export const lendingPath = '/lending/v1';
