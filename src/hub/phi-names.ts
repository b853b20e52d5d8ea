/** Names of phis on the hub: a preset, or OWNER/NAME[/FILE], each with or without a revision. */

import { formatBytes, LincirError, quoted } from '../core/index.ts';
import { modelPresets, type PhiPreset, phiPresets } from './choices.ts';
import type { RemoteFile } from './download.ts';
import { chosenRevision, isHubId, splitName } from './ids.ts';
import type { Listing } from './listing.ts';

/** Endings of a phi's file, to find the only one of a repository. */
const ending = /\.(safetensors|pt|pth|bin)$/;

export interface PhiPlace {
  readonly id: string;
  readonly file: string | undefined;
  readonly revision: string;
  readonly preset: PhiPreset | undefined;
}

/**
 * Where a name is on the hub; undefined if it can be no such name.
 * @param elsewhere what to do with a file that is not on the hub, for the message
 * @throws LincirError 'not-found' for a preset that is not on the hub, 'bad-argument' for an impossible revision
 */
export function phiPlace(name: string, elsewhere: (file: string) => string): PhiPlace | undefined {
  const { name: path, suffix } = splitName(name);
  const preset = phiPresets.find((known) => known.name === path);
  if (preset) {
    const { id, file, address, description, licence } = preset;
    if (id !== undefined) return { id, file, revision: chosenRevision(suffix, undefined), preset };
    throw new LincirError('not-found', {
      subject: `phi ${name}`,
      expected: 'one on the hub',
      found: `${description}, only at ${address} (${licence})`,
      todo: elsewhere(file),
    });
  }
  const [owner = '', repository, ...rest] = path.split('/');
  const id = `${owner}/${repository}`;
  if (repository === undefined || !isHubId(id)) return undefined;
  if (rest.some((part) => !/^\w[\w.+-]*$/.test(part))) return undefined;
  return {
    id,
    file: rest.length > 0 ? rest.join('/') : undefined,
    revision: chosenRevision(suffix, undefined),
    preset: phiPresets.find((known) => known.id === id && known.file === rest.join('/')),
  };
}

/** The one phi of a repository. Throws 'not-found' without any, 'bad-argument' for several. */
export function onlyPhi(listing: Listing, id: string): string {
  const names = listing.names.filter(isPhiName);
  if (names.length === 1) return names[0]!;
  throw new LincirError(names.length === 0 ? 'not-found' : 'bad-argument', {
    subject: id,
    expected: 'one file of a phi: .safetensors, .pt, .pth or .bin',
    found: names.length === 0 ? 'none' : quoted(names.join(', ')),
    todo: `say which: ${id}/FILE`,
  });
}

export function isPhiName(name: string): boolean {
  return ending.test(name) && !name.includes('/');
}

/** The id of the model that a preset's phi was trained for. */
export function modelOfPhi(preset: PhiPreset | undefined): string | undefined {
  return modelPresets.find(({ name }) => name === preset?.model)?.id;
}

/** Published files do not name their model, and several models have the same dimensions. Throws 'bad-argument' for another. */
export function expectModelOfPhi(name: string, found: string | undefined, wanted: string | undefined): void {
  if (!found || !wanted || found === wanted) return;
  throw new LincirError('bad-argument', {
    subject: `phi ${name}`,
    expected: `one for ${wanted}`,
    found: `one for ${found}`,
    todo: `use the model ${found}, or another phi: lincir models lists those that are published`,
  });
}

/** Words for the user before a download: what it is, and its licence. */
export function licenceNotice(file: RemoteFile, { id, preset }: PhiPlace, endpoint: string): string {
  const licence = preset ? `its licence: ${preset.licence}, ` : 'see its licence at ';
  return `${file.name}, ${formatBytes(file.size)}; ${licence}${preset?.address ?? `${endpoint}/${id}`}`;
}
