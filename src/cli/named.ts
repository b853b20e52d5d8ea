/** What users name that comes with the package: benchmarks, and captions that come from no file. */

import type { BenchmarkKind } from '../benchmarks/index.ts';
import type { MadeCaptions } from '../captions/index.ts';
import type { TrainingSettingsInput } from '../training/index.ts';

/** Throws LincirError 'bad-argument' for a benchmark that does not exist. */
export async function kindOf(name: string): Promise<BenchmarkKind> {
  if (name === 'mini') return (await import('../mini/index.ts')).mini;
  return (await import('../benchmarks/index.ts')).kindNamed(name);
}

/** `mini:captions`; undefined for what is a file's name. */
export async function namedCaptions(origin: string): Promise<MadeCaptions | undefined> {
  if (!origin.startsWith('mini:')) return undefined;
  return (await import('../mini/index.ts')).madeMiniCaptions(origin);
}

/** What training on captions takes where the user says nothing else: those of the miniature world need far fewer steps. */
export async function namedRecipe(captions: readonly string[] = []): Promise<Partial<TrainingSettingsInput>> {
  const isMini = captions.length > 0 && captions.every((origin) => origin.startsWith('mini:'));
  if (!isMini) return {};
  return (await import('../mini/index.ts')).miniRecipe;
}
