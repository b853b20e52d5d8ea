/** Finds published phis: a preset, or OWNER/NAME[/FILE] on the hub, and their files in the cache. */

import { join } from 'node:path';
import { type DownloadOptions, type LicensedDownloadOptions, option } from '../core/index.ts';
import { statOf } from '../files/index.ts';
import { cachedCommit, namesIn, repositoryIn, sizeOf } from './cache.ts';
import { type PhiPreset, phiPresets } from './choices.ts';
import { downloadFiles } from './download-files.ts';
import { readHubEnvironment } from './environment.ts';
import { splitName } from './ids.ts';
import type { Listing } from './listing.ts';
import { isPhiName, licenceNotice, modelOfPhi, onlyPhi, type PhiPlace, phiPlace } from './phi-names.ts';

/** A phi's file on this machine. */
interface ResolvedPhi {
  readonly file: string;
  readonly id: string;
  /** The commit. */
  readonly revision: string;
  /** The id of its model, if that is known. */
  readonly model: string | undefined;
}

/** The first preset for the model `id` that can be downloaded by its name. */
export function phiPresetFor(id: string | undefined): PhiPreset | undefined {
  return phiPresets.find((preset) => preset.id !== undefined && modelOfPhi(preset) === id);
}

/** Whether a preset's file is in the cache. */
export async function isPhiCached(preset: PhiPreset, options: DownloadOptions = {}): Promise<boolean> {
  if (preset.id === undefined) return false;
  const place = { id: preset.id, file: preset.file, revision: 'main', preset };
  return (await cachedPhi(place, readHubEnvironment(options.environment).cacheFolder)) !== undefined;
}

/**
 * The file of a phi with a name on the hub: a preset, or OWNER/NAME[/FILE][@REVISION]. A file in the cache is used without
 * any request, as with models. Otherwise it is downloaded.
 * @returns undefined for any other name, or if its first part is a folder here: then it is a path
 * @throws LincirError 'not-found', 'bad-argument', 'network', 'io', and the signal's reason
 */
export async function resolvePhi(
  name: string,
  options: LicensedDownloadOptions = {},
): Promise<ResolvedPhi | undefined> {
  const place = await placeOf(name);
  if (!place) return undefined;
  const { cacheFolder } = readHubEnvironment(options.environment);
  return (await cachedPhi(place, cacheFolder)) ?? (await download(place, options));
}

/** The same, but asks the hub for a newer version. Undefined for OWNER/NAME without a file, which can only be a model. */
export async function pullPhi(
  name: string,
  options: LicensedDownloadOptions = {},
): Promise<ResolvedPhi | undefined> {
  const place = await placeOf(name);
  return place?.file === undefined ? undefined : await download(place, options);
}

async function placeOf(name: string): Promise<PhiPlace | undefined> {
  const [owner, ...rest] = splitName(name).name.split('/');
  if (owner && rest.length > 0 && (await statOf(owner))?.isDirectory()) return undefined;
  return phiPlace(name, (file) => `download it there and give its path: ${asOption(file)}`);
}

function asOption(file: string): string {
  return option<{ readonly phi: string }>('phi', file);
}

async function cachedPhi(place: PhiPlace, cacheFolder: string): Promise<ResolvedPhi | undefined> {
  const repository = repositoryIn(cacheFolder, place.id);
  const commit = await cachedCommit(repository, place.revision);
  if (commit === undefined) return undefined;
  const folder = repository.snapshot(commit);
  const names = place.file === undefined ? (await namesIn(folder)).filter(isPhiName) : [place.file];
  const file = join(folder, names[0] ?? '');
  if (names.length !== 1 || (await sizeOf(file)) === undefined) return undefined;
  return { file, id: place.id, revision: commit, model: modelOfPhi(place.preset) };
}

async function download(place: PhiPlace, options: LicensedDownloadOptions): Promise<ResolvedPhi> {
  const { id, revision, preset } = place;
  const environment = readHubEnvironment(options.environment);
  const wanted = {
    id,
    revision,
    missing: [place.file ?? 'a phi'],
    choose: (listing: Listing) => {
      const file = listing.file(place.file ?? onlyPhi(listing, id));
      options.onLicence?.(licenceNotice(file, place, environment.endpoint));
      return [file];
    },
  };
  const { commit, files } = await downloadFiles(wanted, environment, options);
  const file = join(repositoryIn(environment.cacheFolder, id).snapshot(commit), files[0]!.name);
  return { file, id, revision: commit, model: modelOfPhi(preset) };
}
