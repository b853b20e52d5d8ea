/** Names of models: a preset, a folder, a file, or an id on the hub with or without a revision. */

import { resolve } from 'node:path';
import { LincirError, quoted } from '../core/index.ts';
import { statOf } from '../files/index.ts';
import { modelPresets } from './choices.ts';

/** Where a model is: a folder or a file on this machine, or a revision on the hub. */
type ModelPlace =
  | { readonly folder: string }
  | { readonly id: string; readonly revision: string; readonly folder?: undefined };

/** The miniature world's model and its phi, which are part of this package. */
export const miniature = { name: 'mini', folder: resolve(import.meta.dirname, '../../models/mini') } as const;

/**
 * Finds out what `model` names, by the first rule that fits: a preset (`large`; `mini` comes with this package); a folder or
 * file that exists (so `./large` for a folder of that name); `owner/name` on the hub. The first and the last may end in `@REVISION`, a branch, tag or commit,
 * which `revision` gives as well; without either it is `main`.
 * Throws `bad-argument` for two revisions or an impossible one, `not-found` when no rule fits.
 */
export async function findModel(model: string, revision?: string): Promise<ModelPlace> {
  const [, name = '', suffix] = /^([^@]*)(?:@(.*))?$/s.exec(model) ?? [];
  if (model === miniature.name && revision === undefined) return { folder: miniature.folder };
  const id = modelPresets.find((preset) => preset.name === name)?.id;
  if (id === undefined && (await isHere(model))) {
    if (revision === undefined) return { folder: resolve(model) };
    throw new LincirError('bad-argument', {
      subject: 'revision',
      expected: 'none for what is on this machine',
      found: quoted(revision),
    });
  }
  if (id === undefined && !isHubId(name)) {
    throw new LincirError('not-found', {
      subject: 'model',
      expected: `one of ${modelPresets.map((preset) => preset.name).join(', ')}, ${miniature.name}, a folder, a file, or OWNER/NAME on the hub`,
      found: quoted(model),
    });
  }
  return { id: id ?? name, revision: chosenRevision(suffix, revision) };
}

async function isHere(path: string): Promise<boolean> {
  const found = await statOf(path);
  return found !== undefined && (found.isDirectory() || found.isFile());
}

/** The revision from the name or the option. Throws `bad-argument` as `findModel` does. */
export function chosenRevision(suffix: string | undefined, option: string | undefined): string {
  if (suffix !== undefined && option !== undefined && suffix !== option) {
    throw new LincirError('bad-argument', {
      subject: 'revision',
      expected: 'one revision',
      found: `${quoted(suffix)} and ${quoted(option)}`,
    });
  }
  const revision = suffix ?? option ?? 'main';
  // It becomes a path under refs/, also on Windows.
  const isSafe = /^\w[\w.+-]*(\/\w[\w.+-]*)*$/.test(revision) && !/\.(tmp|lock)?(\/|$)|\.\./.test(revision);
  if (isSafe && revision.length <= 200) return revision;
  throw new LincirError('bad-argument', {
    subject: 'revision',
    expected: 'the name of a branch or tag, or a commit hash',
    found: quoted(revision),
  });
}

/** Whether this can be OWNER/NAME on the hub. */
export function isHubId(name: string): boolean {
  return /^(?=.{3,96}$)\w([\w.-]*\w)?\/\w([\w.-]*\w)?$/.test(name) && !/--|\.\.|\.git$/.test(name);
}
