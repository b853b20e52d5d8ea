/** Captions that come from no file, by the names that users give them. */

import type { MadeCaptions } from '../captions/index.ts';
import type { TrainingSettingsInput } from './settings.ts';

interface Made {
  readonly captions: MadeCaptions;
  /** The settings that suit training on them, where nothing else is said. */
  readonly recipe: Partial<TrainingSettingsInput>;
}

/** Each is loaded when it is asked for. */
const made: Readonly<Record<string, () => Promise<Made>>> = {
  'mini:captions': async () => {
    const { madeMiniCaptions: captions, miniRecipe: recipe } = await import('../mini/index.ts');
    return { captions, recipe };
  },
};

export const madeNames = Object.keys(made);

/** Undefined for what is a file's name. */
export async function madeCaptions(name: string): Promise<MadeCaptions | undefined> {
  return madeNames.includes(name) ? (await made[name]!()).captions : undefined;
}

/** The settings that suit captions, each with or without `:WEIGHT`, where all of them come from no file. */
export async function recipeFor(captions: readonly string[] = []): Promise<Partial<TrainingSettingsInput>> {
  const names = captions.map((spec) => spec.replace(/:[\d.]+$/, ''));
  if (names.length === 0 || !names.every((name) => madeNames.includes(name))) return {};
  return (await made[names[0]!]!()).recipe;
}
