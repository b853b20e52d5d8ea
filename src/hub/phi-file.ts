/** Finds the file of a phi by any name: a file, the folder of a training run, or a name on the hub. */

import { join } from 'node:path';
import { call, type LicensedDownloadOptions, LincirError } from '../core/index.ts';
import { statOf } from '../files/index.ts';
import { phiPresets } from './choices.ts';
import { miniature } from './names.ts';
import { expectModelOfPhi } from './phi-names.ts';
import { resolvePhi } from './phis.ts';

export interface PhiFileOptions extends LicensedDownloadOptions {
  /** The id of the model that phi must be for. */
  readonly model?: string;
}

/** The phis in a training run's folder. */
export const runPhis = { best: 'phi-best.safetensors', latest: 'phi-latest.safetensors' } as const;

/**
 * Finds a phi. `mini` comes with this package. Otherwise, a file or folder on this machine wins; of a run's folder, it takes the best phi, or else the latest.
 * Otherwise the name is one on the hub: a preset such as `lincir-large`, or OWNER/NAME[/FILE][@REVISION].
 * @throws LincirError 'not-found', 'io', 'network', and 'bad-argument' for any other name, or a preset for another model
 */
export async function phiFileOf(name: string, options: PhiFileOptions = {}): Promise<string> {
  if (name === miniature.name) return join(miniature.folder, 'phi.safetensors');
  const here = await statOf(name);
  if (here && !here.isDirectory()) return name;
  if (!here) return (await published(name, options)) ?? name;
  for (const part of [runPhis.best, runPhis.latest]) {
    const file = join(name, part);
    if (await statOf(file)) return file;
  }
  throw new LincirError('not-found', {
    subject: name,
    expected: "phi, or a run's folder with one",
    found: 'a folder without',
    todo: `name the file, or train one: ${call('trainPhi')}`,
  });
}

async function published(name: string, { model, ...options }: PhiFileOptions): Promise<string | undefined> {
  try {
    const found = await resolvePhi(name, options);
    if (!found && /^[\w-]+$/.test(name)) throw unknownName(name);
    expectModelOfPhi(name, found?.model, model);
    return found?.file;
  } catch (error) {
    if (!(error instanceof LincirError) || (error.code !== 'not-found' && error.code !== 'network'))
      throw error;
    const subject = `phi ${name}, which is no file or folder here: ${error.problem.subject}`;
    throw new LincirError(error.code, { ...error.problem, subject, cause: error });
  }
}

function unknownName(name: string): LincirError {
  return new LincirError('bad-argument', {
    subject: `phi ${name}`,
    expected: `a file, a run's folder, OWNER/NAME on the hub, ${miniature.name}, or one of ${phiPresets
      .map((preset) => preset.name)
      .join(', ')}`,
    found: 'none of these',
    todo: 'check the name: lincir models lists those that are published',
  });
}
