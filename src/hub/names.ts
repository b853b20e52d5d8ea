/** Names of models: a preset, a folder, a file, or an id on the hub with or without a revision. */

import { resolve } from 'node:path';
import { LincirError, quoted } from '../core/index.ts';
import { statOf } from '../files/index.ts';
import { chosenRevision, isHubId, presetId, splitName, unknownModel } from './ids.ts';

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
  const { name, suffix } = splitName(model);
  if (model === miniature.name && revision === undefined) return { folder: miniature.folder };
  const id = presetId(name);
  if (id === undefined && (await isHere(model))) {
    if (revision === undefined) return { folder: resolve(model) };
    throw new LincirError('bad-argument', {
      subject: 'revision',
      expected: 'none for what is on this machine',
      found: quoted(revision),
    });
  }
  if (id === undefined && !isHubId(name)) {
    throw unknownModel(model, `${miniature.name}, a folder, a file, or `);
  }
  return { id: id ?? name, revision: chosenRevision(suffix, revision) };
}

async function isHere(path: string): Promise<boolean> {
  const found = await statOf(path);
  return found !== undefined && (found.isDirectory() || found.isFile());
}
